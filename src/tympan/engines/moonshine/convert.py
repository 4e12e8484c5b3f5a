"""The model's files to weights. Sizes are read from the weights: tiny, base and their like all fit.

The files were quantised by their makers: each matrix is unsigned bytes with one scale and zero point, found
through the operator that uses it, because the names of the matrices themselves mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tympan.core.errors import ModelError
from tympan.engines.moonshine.assets import ModelFiles
from tympan.engines.moonshine.ort_format import Graph, read_graph
from tympan.engines.moonshine.weights import (
    AttentionWeights,
    DecoderLayer,
    EncoderLayer,
    FeedForwardWeights,
    FloatArray,
    FrontEndWeights,
    ModelWeights,
    QuantizedMatrix,
)

_SUPPORTED = "tympan runs the quantised English Moonshine models (tiny, base) in ONNX Runtime's format"

_MATRIX_INPUTS = {"MatMulIntegerToFloat": (1, 3, 5), "DynamicQuantizeMatMul": (1, 2, 3)}
"""Operator to the positions of values, scale and zero point among its inputs."""

_PAST_KEY = "past_key_values.0.decoder.key"


def read_weights(files: ModelFiles) -> ModelWeights:
    """Read both model files.

    Raises:
        ModelError: a file is unreadable, or lacks a weight or has it in another shape than expected.
    """
    encoder = _Tensors(files.encoder, read_graph(files.encoder))
    merged = read_graph(files.decoder)
    # The merged decoder holds two: the first step, and every later one that is given the past. All weights
    # are in the former; those that the two share lie in the outer graph.
    decoder = _Tensors(files.decoder, _required(merged.subgraphs, "else_branch", files.decoder), outer=merged)
    past_shape = _required(merged.input_shapes, _PAST_KEY, files.decoder)
    weights = ModelWeights(
        head_count=_head_count(past_shape, files.decoder),
        front_end=_front_end(encoder),
        encoder_layers=tuple(_encoder_layer(encoder, f"layers.{i}") for i in range(encoder.layer_count())),
        encoder_norm=encoder.vector("layer_norm.weight"),
        embedding=decoder.embedding(),
        decoder_layers=tuple(_decoder_layer(decoder, f"layers.{i}") for i in range(decoder.layer_count())),
        decoder_norm=decoder.vector("norm.weight"),
        projection=decoder.matrix("proj_out"),
    )
    check_shapes(weights, files)
    return weights


class _Tensors:
    """The weights of one file by the name of the module that owns them."""

    def __init__(self, path: Path, graph: Graph, outer: Graph | None = None) -> None:
        self.path = path
        constants = dict(outer.constants) if outer is not None else {}
        constants.update(graph.constants)
        self._graph = graph
        self._vectors = {_module_name(name): array for name, array in constants.items()}
        self._matrices = {
            _module_name(operator.name): QuantizedMatrix(
                values=constants[operator.inputs[values]],
                scale=float(constants[operator.inputs[scale]].ravel()[0]),
                zero_point=int(constants[operator.inputs[zero_point]].ravel()[0]),
            )
            for operator in graph.operators
            if operator.kind in _MATRIX_INPUTS
            for values, scale, zero_point in [_MATRIX_INPUTS[operator.kind]]
            if operator.inputs[values] in constants
        }

    def matrix(self, name: str) -> QuantizedMatrix:
        matrix: QuantizedMatrix = _required(self._matrices, name, self.path)
        return matrix

    def vector(self, name: str) -> FloatArray:
        array: NDArray[Any] = _required(self._vectors, name, self.path)
        return array.astype(np.float32, copy=False)

    def operand(self, operator_name: str, position: int) -> FloatArray:
        """A constant that only the operator using it names."""
        for operator in self._graph.operators:
            if operator.name == operator_name:
                return self.vector(_module_name(operator.inputs[position])).ravel()
        raise ModelError(f"model file {self.path} has no operator {operator_name!r}; {_SUPPORTED}")

    def embedding(self) -> QuantizedMatrix:
        values = _required(self._vectors, "embed_tokens.weight_quantized", self.path)
        return QuantizedMatrix(
            values=values,
            scale=float(self.vector("embed_tokens.weight_scale").ravel()[0]),
            zero_point=int(self.vector("embed_tokens.weight_zero_point").ravel()[0]),
        )

    def layer_count(self) -> int:
        """How many layers the file has: as many as have an attention block."""
        count = 0
        while f"layers.{count}.self_attn.o_proj" in self._matrices:
            count += 1
        return count


def _module_name(name: str) -> str:
    """`/model/decoder/layers.0/mlp/fc1/MatMul_quant` → `layers.0.mlp.fc1`; constants of the two are alike."""
    dotted = name.strip("/").replace("/", ".").replace("_merged_0", "")
    return dotted.removeprefix("model.decoder.").removesuffix(".MatMul_quant")


def _front_end(tensors: _Tensors) -> FrontEndWeights:
    return FrontEndWeights(
        conv1=tensors.vector("conv1.weight_add_tensor"),
        norm_scale=tensors.operand("/groupnorm/Mul", 1),
        norm_shift=tensors.operand("/groupnorm/Add", 1),
        conv2=tensors.vector("conv2.weight_add_tensor"),
        conv2_bias=tensors.vector("conv2.bias"),
        conv3=tensors.vector("conv3.weight_add_tensor"),
        conv3_bias=tensors.vector("conv3.bias"),
    )


def _encoder_layer(tensors: _Tensors, name: str) -> EncoderLayer:
    return EncoderLayer(
        attention_norm=tensors.vector(f"{name}.input_layernorm.weight"),
        attention=_attention(tensors, f"{name}.self_attn"),
        feed_forward_norm=tensors.vector(f"{name}.post_attention_layernorm.weight"),
        feed_forward=_feed_forward(tensors, f"{name}.mlp"),
    )


def _decoder_layer(tensors: _Tensors, name: str) -> DecoderLayer:
    return DecoderLayer(
        attention_norm=tensors.vector(f"{name}.input_layernorm.weight"),
        attention=_attention(tensors, f"{name}.self_attn"),
        cross_attention_norm=tensors.vector(f"{name}.post_attention_layernorm.weight"),
        cross_attention=_attention(tensors, f"{name}.encoder_attn"),
        feed_forward_norm=tensors.vector(f"{name}.final_layernorm.weight"),
        feed_forward=_feed_forward(tensors, f"{name}.mlp"),
    )


def _attention(tensors: _Tensors, name: str) -> AttentionWeights:
    return AttentionWeights(
        query=tensors.matrix(f"{name}.q_proj"),
        key=tensors.matrix(f"{name}.k_proj"),
        value=tensors.matrix(f"{name}.v_proj"),
        output=tensors.matrix(f"{name}.o_proj"),
    )


def _feed_forward(tensors: _Tensors, name: str) -> FeedForwardWeights:
    return FeedForwardWeights(
        fc1=tensors.matrix(f"{name}.fc1"),
        fc1_bias=tensors.vector(f"{name}.fc1.bias"),
        fc2=tensors.matrix(f"{name}.fc2"),
        fc2_bias=tensors.vector(f"{name}.fc2.bias"),
    )


def _head_count(past_shape: tuple[int | None, ...], path: Path) -> int:
    match past_shape:
        case (_, int(heads), _, int()):
            return heads
        case _:
            raise ModelError(
                f"model file {path}: expected input {_PAST_KEY} of shape [batch, heads, past, size], "
                f"found {past_shape}; {_SUPPORTED}"
            )


def check_shapes(weights: ModelWeights, files: ModelFiles) -> None:
    hidden, vocabulary = weights.hidden_size, weights.vocabulary_size
    expected = {
        "conv1.weight": (weights.front_end.conv1.shape, (hidden, 1, 127)),
        "conv2.weight": (weights.front_end.conv2.shape, (2 * hidden, hidden, 7)),
        "conv3.weight": (weights.front_end.conv3.shape, (hidden, 2 * hidden, 3)),
        "embedding": (weights.embedding.values.shape, (vocabulary, hidden)),
        "projection": (weights.projection.values.shape, (hidden, vocabulary)),
    }
    for number, layer in enumerate(weights.encoder_layers):
        expected[f"encoder layer {number} query"] = (layer.attention.query.values.shape, (hidden, hidden))
    for number, decoder_layer in enumerate(weights.decoder_layers):
        expected[f"decoder layer {number} query"] = (
            decoder_layer.attention.query.values.shape,
            (hidden, hidden),
        )
        shape = decoder_layer.feed_forward.fc2.values.shape
        expected[f"decoder layer {number} fc1"] = (
            decoder_layer.feed_forward.fc1.values.shape,
            (hidden, 2 * shape[0]),
        )
    for name, (found, wanted) in expected.items():
        if found != wanted:
            raise ModelError(f"model {files.directory}: {name} has shape {found}, expected {wanted}; {_SUPPORTED}")
    if not weights.encoder_layers or not weights.decoder_layers or hidden % weights.head_count:
        raise ModelError(
            f"model {files.directory}: {len(weights.encoder_layers)} encoder and "
            f"{len(weights.decoder_layers)} decoder layers, hidden size {hidden} in "
            f"{weights.head_count} heads make no model; {_SUPPORTED}"
        )


def _required(found: Mapping[str, Any], name: str, path: Path) -> Any:
    if name not in found:
        raise ModelError(f"model file {path} has no weight {name!r}; {_SUPPORTED}")
    return found[name]
