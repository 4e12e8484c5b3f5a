"""Reads a model file in ONNX Runtime's own format (.ort): its operators, constants and input shapes.

The format is a flatbuffer; the accessors come with the onnxruntime wheel. Only what a search for weights
needs is read: no attributes but subgraphs, no types but the shapes of inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tympan.core.errors import ModelError

_TENSOR_TYPES: Mapping[int, type[np.generic]] = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    6: np.int32,
    7: np.int64,
}
"""ONNX's TensorProto.DataType to numpy, for the types that hold weights."""

_FILE_IDENTIFIER = b"ORTM"


@dataclass(frozen=True, slots=True)
class Operator:
    """One node: `inputs` are names of constants or of other nodes' outputs."""

    kind: str
    name: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph with the constants of its subgraphs' callers left out: each graph holds its own."""

    operators: tuple[Operator, ...]
    constants: Mapping[str, NDArray[Any]]
    subgraphs: Mapping[str, Graph]
    """By attribute name: an If has `then_branch` and `else_branch`."""
    input_shapes: Mapping[str, tuple[int | None, ...]]
    """None stands for a dimension that varies."""


def read_graph(path: Path) -> Graph:
    """The main graph of a model file.

    Raises:
        ModelError: the file can't be read or isn't in ONNX Runtime's format.
    """
    # Part of the onnxruntime wheel, but costly to import and only needed for a conversion.
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import (  # noqa: PLC0415
        InferenceSession,
    )

    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"can't read model file {path}: {error.strerror}") from error
    if content[4:8] != _FILE_IDENTIFIER:
        raise ModelError(
            f"model file {path} isn't in ONNX Runtime's format: expected the mark {_FILE_IDENTIFIER!r}, "
            f"found {content[4:8]!r}"
        )
    try:
        return _graph(InferenceSession.GetRootAs(content, 0).Model().Graph())
    except Exception as error:  # a damaged flatbuffer fails anywhere, with anything
        raise ModelError(f"model file {path} is damaged: {error!r}") from error


def _graph(graph: Any) -> Graph:
    nodes = [graph.Nodes(i) for i in range(graph.NodesLength())]
    tensors = (graph.Initializers(i) for i in range(graph.InitializersLength()))
    return Graph(
        operators=tuple(_operator(node) for node in nodes),
        constants={_text(tensor.Name()): _array(tensor) for tensor in tensors},
        subgraphs={name: inner for node in nodes for name, inner in _subgraphs(node)},
        input_shapes=_input_shapes(graph),
    )


def _operator(node: Any) -> Operator:
    inputs = tuple(_text(node.Inputs(i)) for i in range(node.InputsLength()))
    return Operator(_text(node.OpType()), _text(node.Name()), inputs)


def _subgraphs(node: Any) -> Iterator[tuple[str, Graph]]:
    for i in range(node.AttributesLength()):
        attribute = node.Attributes(i)
        if attribute.G() is not None:
            yield _text(attribute.Name()), _graph(attribute.G())


def _array(tensor: Any) -> NDArray[Any]:
    shape = [tensor.Dims(i) for i in range(tensor.DimsLength())]
    kind = _TENSOR_TYPES.get(tensor.DataType())
    if kind is None or tensor.RawDataIsNone():
        return np.zeros(0, np.uint8)
    return np.frombuffer(tensor.RawDataAsNumpy().tobytes(), kind).reshape(shape)


def _input_shapes(graph: Any) -> dict[str, tuple[int | None, ...]]:
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.TensorTypeAndShape import (  # noqa: PLC0415
        TensorTypeAndShape,
    )

    names = {graph.Inputs(i) for i in range(graph.InputsLength())}
    shapes = {}
    for i in range(graph.NodeArgsLength()):
        argument = graph.NodeArgs(i)
        if argument.Name() not in names or argument.Type() is None or argument.Type().Value() is None:
            continue
        union = argument.Type().Value()
        tensor = TensorTypeAndShape()
        tensor.Init(union.Bytes, union.Pos)
        if tensor.Shape() is not None:
            values = [tensor.Shape().Dim(d).Value() for d in range(tensor.Shape().DimLength())]
            # Dimension type 1 is a number, 2 a name.
            shapes[_text(argument.Name())] = tuple(v.DimValue() if v and v.DimType() == 1 else None for v in values)
    return shapes


def _text(value: bytes | None) -> str:
    return value.decode() if value is not None else ""
