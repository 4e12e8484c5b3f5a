"""Small vocabulary for writing ONNX graphs by hand. Needs `onnx`, which only a conversion imports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tympan.engines.moonshine.precision import Precision
from tympan.engines.moonshine.weights import FloatArray, QuantizedMatrix

FLOAT = TensorProto.FLOAT
INT64 = TensorProto.INT64

CONTRIB = "com.microsoft"
"""Domain of ONNX Runtime's own operators."""

_OPSETS = (("", 18), (CONTRIB, 1))
_IR_VERSION = 10


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph; a text in `shape` names a dimension that varies."""

    name: str
    shape: tuple[int | str, ...]
    element_type: int = FLOAT


class GraphBuilder:
    """Collects operators and constants; every value is a name, every method that computes returns one."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._output_names: dict[str, str] = {}
        self._count = 0

    def constant(self, array: NDArray[Any]) -> str:
        name = self._new_name()
        self._constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def operator(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.operator_with(1, kind, *inputs, domain=domain, **attributes)[0]

    def operator_with(
        self, output_count: int, kind: str, *inputs: str, domain: str = "", **attributes: Any
    ) -> list[str]:
        """An operator with several outputs."""
        outputs = [self._new_name() for _ in range(output_count)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs

    def output(self, value: str, name: str) -> None:
        """Give a value the name of one of the graph's outputs; other operators may use it still."""
        self._output_names[value] = name

    def split(self, value: str, sizes: Sequence[int], axis: int) -> list[str]:
        return self.operator_with(len(sizes), "Split", value, self.integers(*sizes), axis=axis)

    def matrix_product(
        self,
        value: str,
        matrices: Sequence[QuantizedMatrix],
        precision: Precision,
        *,
        bias: FloatArray | None = None,
        columns: NDArray[np.int64] | None = None,
    ) -> str:
        """`value` times the matrices side by side, their columns reordered by `columns`."""
        values = np.concatenate([m.values for m in matrices], axis=1)
        if columns is not None:
            values = values[:, columns]
        if precision is Precision.FP32:
            dequantized = np.concatenate([m.dequantized() for m in matrices], axis=1)
            factor = self.constant(dequantized if columns is None else dequantized[:, columns])
            product = self.operator("MatMul", value, factor)
            return product if bias is None else self.operator("Add", product, self.constant(bias))
        scales = _by_column(matrices, [m.scale for m in matrices], columns).astype(np.float32)
        zero_points = _by_column(matrices, [m.zero_point for m in matrices], columns)
        if precision is Precision.S8:
            # The same integers shifted by 128, zero point too: identical products, and a faster kernel.
            values = (values.astype(np.int16) - 128).astype(np.int8)
            zero_points = (zero_points - 128).astype(np.int8)
        else:
            zero_points = zero_points.astype(np.uint8)
        inputs = [value, self.constant(values), self.constant(scales), self.constant(zero_points)]
        if bias is not None:
            inputs.append(self.constant(bias))
        return self.operator("DynamicQuantizeMatMul", *inputs, domain=CONTRIB)

    def serialized(self, inputs: Sequence[Port], outputs: Sequence[Port]) -> bytes:
        """The graph as the content of an .onnx file."""
        # Renamed in place: an operator that copies each output would cost as much as some that compute.
        for node in self._nodes:
            for names in (node.input, node.output):
                names[:] = [self._output_names.get(name, name) for name in names]
        graph = helper.make_graph(
            self._nodes, "moonshine", _infos(inputs), _infos(outputs), initializer=self._constants
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        content: bytes = model.SerializeToString()
        return content

    def _new_name(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _infos(ports: Sequence[Port]) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(port.name, port.element_type, port.shape) for port in ports]


def _by_column(
    matrices: Sequence[QuantizedMatrix], parameters: Sequence[float], columns: NDArray[np.int64] | None
) -> NDArray[Any]:
    """A parameter of each matrix for each of its columns; for a single matrix just one number."""
    if len(matrices) == 1:
        return np.array(parameters[0])
    widths = [m.values.shape[1] for m in matrices]
    spread = np.repeat(np.array(parameters), widths)
    return spread if columns is None else spread[columns]
