"""The weights of the front-end to the first two of our graphs; see `graphs`. Needs `onnx`, which only a conversion
imports."""

from __future__ import annotations

from tympan.engines.moonshine.graph_builder import CONTRIB, GraphBuilder, Port
from tympan.engines.moonshine.weights import FloatArray, FrontEndWeights

_CONV1_STRIDE, _CONV2_STRIDE, _CONV3_STRIDE = 64, 3, 2
_CONV1_WIDTH, _CONV2_WIDTH, _CONV3_WIDTH = 127, 7, 3


def convolutions(front_end: FrontEndWeights) -> bytes:
    """`samples` [1, n] → `sums`, `square_sums` [1, conv1 frames], `convolved` [1, 2·hidden, conv2 frames].

    The group norm between conv1 and conv2 needs the whole window's mean and variance. conv2 is linear, so it
    runs on un-normalised features times the norm's scale, and `features` corrects for the rest.
    """
    g = GraphBuilder()
    x = g.operator("Unsqueeze", "samples", g.integers(1))
    x = g.operator("Conv", x, g.constant(front_end.conv1), kernel_shape=[_CONV1_WIDTH], strides=[_CONV1_STRIDE])
    x = g.operator("Tanh", x)
    channels = g.integers(1)
    g.output(g.operator("ReduceSum", x, channels, keepdims=0), "sums")
    g.output(g.operator("ReduceSumSquare", x, channels, keepdims=0), "square_sums")
    kernel = g.constant(_scaled_kernel(front_end))
    g.output(g.operator("Conv", x, kernel, kernel_shape=[_CONV2_WIDTH], strides=[_CONV2_STRIDE]), "convolved")
    outputs = [
        Port("sums", (1, "frames")),
        Port("square_sums", (1, "frames")),
        Port("convolved", (1, front_end.conv2.shape[0], "convolved_frames")),
    ]
    return g.serialized([Port("samples", (1, "samples"))], outputs)


def features(front_end: FrontEndWeights) -> bytes:
    """`convolved`, `mean`, `inverse_deviation` [1, 1, 1] → `features` [1, S, hidden].

    With w the kernel, γ and β the norm's scale and shift, x the features before the norm:
    conv2(γ·(x − mean)·r + β) + b = (conv2_wγ(x) − mean·Σwγ)·r + (b + Σwβ).
    """
    g = GraphBuilder()
    kernel_sum = _scaled_kernel(front_end).sum((1, 2)).reshape(1, -1, 1)
    shift = (front_end.conv2 * front_end.norm_shift[None, :, None]).sum((1, 2))
    bias = (front_end.conv2_bias + shift).reshape(1, -1, 1)
    x = g.operator("Sub", "convolved", g.operator("Mul", "mean", g.constant(kernel_sum)))
    x = g.operator("Add", g.operator("Mul", x, "inverse_deviation"), g.constant(bias))
    x = g.operator("Gelu", x, domain=CONTRIB)
    kernel, conv3_bias = g.constant(front_end.conv3), g.constant(front_end.conv3_bias)
    x = g.operator("Conv", x, kernel, conv3_bias, kernel_shape=[_CONV3_WIDTH], strides=[_CONV3_STRIDE])
    x = g.operator("Gelu", x, domain=CONTRIB)
    g.output(g.operator("Transpose", x, perm=[0, 2, 1]), "features")
    inputs = [
        Port("convolved", (1, front_end.conv2.shape[0], "convolved_frames")),
        Port("mean", (1, 1, 1)),
        Port("inverse_deviation", (1, 1, 1)),
    ]
    return g.serialized(inputs, [Port("features", (1, "S", front_end.conv3.shape[0]))])


def _scaled_kernel(front_end: FrontEndWeights) -> FloatArray:
    kernel: FloatArray = front_end.conv2 * front_end.norm_scale[None, :, None]
    return kernel
