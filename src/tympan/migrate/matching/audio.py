"""Sample rates and buffer sizes of a program, however they are computed. PURE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from tympan.migrate.matching.dicts import entries
from tympan.migrate.matching.names import BindingKind, bindings, qualified
from tympan.migrate.matching.numbers import Leaf, Number, number_leaves, number_of
from tympan.migrate.matching.queries import query_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import pieces, text_roots

_RATE_KEYWORDS = frozenset({"rate", "samplerate", "sample_rate", "framerate", "sample_rate_hertz"})
_RATE_NAMES = frozenset({"SAMPLE_RATE", "RATE", "sample_rate", "rate", "SAMPLERATE", "samplerate", "FRAME_RATE"})
_FRAME_KEYWORDS = frozenset({"frames_per_buffer", "blocksize"})


@dataclass(frozen=True, slots=True)
class Size:
    """An expression that says how much audio goes at once; `per_second`: how many of its units a second has."""

    node: cst.BaseExpression
    per_second: Number


def sample_rate(code: PythonDocument) -> Number | None:
    """The sample rate in Hz that the program works with; None: it isn't told, or there are several."""
    found = {rate for rate in _rates(code) if rate}
    return found.pop() if len(found) == 1 else None


def sizes(code: PythonDocument) -> list[Size]:
    """Every size of audio buffers, of reads and of slices, in the order of the text."""
    rate = sample_rate(code)
    if rate is None:
        return []
    width = 1 if "mulaw" in code.text else 2
    found = [*_frames(code, rate), *_byte_counts(code, rate * width)]
    return sorted(found, key=lambda size: code.span(size.node))


def scaled(
    code: PythonDocument, node: cst.BaseExpression, wanted: Number, spared: frozenset[cst.CSTNode] = frozenset()
) -> tuple[Leaf, str] | None:
    """The literal to change, and into what, so that an expression has another value; `spared` ones stay."""
    value = number_of(code, node)
    if not value:
        return None
    for leaf in number_leaves(code, node):
        old = number_of(code, leaf, depth=1)
        if leaf in spared or not old:
            continue
        for new in (old * wanted / value, old * value / wanted):
            written = round(new, 6) if isinstance(leaf, cst.Float) else round(new)
            result = number_of(code, node, {leaf: written})
            if result is not None and abs(result - wanted) < max(1e-9, 1 if isinstance(value, int) else 0):
                return leaf, f'"{written}"' if isinstance(leaf, cst.SimpleString) else str(written)
    return None


def rate_leaves(code: PythonDocument) -> frozenset[cst.CSTNode]:
    """The literals that a sample rate is written as."""
    rate = sample_rate(code)
    found = code.nodes(cst.Integer, cst.Float)
    return frozenset(leaf for leaf in found if number_of(code, leaf) == rate)


def _rates(code: PythonDocument) -> Iterator[Number | None]:
    for arg in code.nodes(cst.Arg):
        if arg.keyword is not None and arg.keyword.value in _RATE_KEYWORDS:
            yield number_of(code, arg.value)
    for written in code.nodes(cst.Dict, cst.Call):
        for entry in entries(code, written):
            if entry.key == "sample_rate":
                yield number_of(code, entry.value)
    for assign in code.nodes(cst.Assign):
        target = assign.targets[0].target
        if isinstance(target, cst.Name) and target.value in _RATE_NAMES:
            yield number_of(code, assign.value)
    for root in text_roots(code):
        query = query_of(code, pieces(code, root)) if "sample_rate" in code.source(root) else None
        for parameter in query.parameters if query else ():
            if parameter.key == "sample_rate" and parameter.source.isdigit():
                yield int(parameter.source)


def _frames(code: PythonDocument, rate: Number) -> Iterator[Size]:
    for arg in code.nodes(cst.Arg):
        if arg.keyword is not None and arg.keyword.value in _FRAME_KEYWORDS:
            yield Size(arg.value, rate)
    for call in code.nodes(cst.Call):
        if isinstance(call.func, cst.Attribute) and call.args and not call.args[0].star:
            name = call.func.attr.value
            if name == "readframes" or (name == "read" and is_device(code, call.func.value)):
                yield Size(call.args[0].value, rate)


def _byte_counts(code: PythonDocument, per_second: Number) -> Iterator[Size]:
    for call in code.nodes(cst.Call):
        is_read = isinstance(call.func, cst.Attribute) and call.func.attr.value == "read" and call.args
        if is_read and isinstance(call.func, cst.Attribute) and _is_file(code, call.func.value):
            yield Size(call.args[0].value, per_second)
    for sliced in code.nodes(cst.Slice):
        subscript = code.enclosing(sliced, cst.Subscript)
        if subscript is None or not _holds_bytes(code, subscript.value):
            continue
        match sliced:
            case cst.Slice(lower=cst.Name(), upper=cst.BinaryOperation(operator=cst.Add(), right=size)):
                yield Size(size, per_second)
            case cst.Slice(lower=None, upper=cst.BaseExpression() as size):
                yield Size(size, per_second)
            case cst.Slice(lower=cst.BaseExpression() as size, upper=None):
                yield Size(size, per_second)
    for call in code.nodes(cst.Call):
        if isinstance(call.func, cst.Name) and call.func.value == "range" and len(call.args) == 3:
            yield from (Size(call.args[2].value, per_second) for _ in [0] if _counts_bytes(code, call.args[1].value))


def is_device(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """A stream of PyAudio or sounddevice, by the call that opened it."""
    return any(_opens(code, value, ("open",), _FRAME_KEYWORDS) for value in _values(code, node))


def is_audio_system(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """A PyAudio, by the call that made it."""
    return any(isinstance(v, cst.Call) and qualified(code, v.func) == "pyaudio.PyAudio" for v in _values(code, node))


def _is_file(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """A file opened with `open(…)`."""
    for value in _values(code, node):
        if isinstance(value, cst.Call):
            name = qualified(code, value.func)
            if name == "open" or (isinstance(value.func, cst.Attribute) and _is_binary_open(value)):
                return True
    return False


def _is_binary_open(call: cst.Call) -> bool:
    """`Path(…).open("rb")`."""
    first = call.args[0].value if call.args else None
    return isinstance(first, cst.SimpleString) and first.evaluated_value == "rb" and len(call.args) == 1


def _opens(code: PythonDocument, value: cst.BaseExpression, methods: tuple[str, ...], keywords: frozenset[str]) -> bool:
    if not isinstance(value, cst.Call):
        return False
    given = {arg.keyword.value for arg in value.args if arg.keyword is not None}
    if qualified(code, value.func).startswith("sounddevice."):
        return True
    is_method = isinstance(value.func, cst.Attribute) and value.func.attr.value in methods
    return is_method and bool(given & (keywords | {"channels", "input"}))


def _holds_bytes(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """What was read from a file, or is a bytes or bytearray."""
    for value in _values(code, node):
        if isinstance(value, cst.Call):
            name = qualified(code, value.func)
            if name in ("bytearray", "bytes"):
                return True
            method = value.func.attr.value if isinstance(value.func, cst.Attribute) else ""
            if method in ("read", "readframes", "read_bytes", "getvalue"):
                return True
        if isinstance(value, cst.SimpleString) and "b" in value.prefix.lower():
            return True
    return False


def _counts_bytes(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """`len(x)` of what holds bytes."""
    is_length = isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "len"
    return is_length and isinstance(node, cst.Call) and _holds_bytes(code, node.args[0].value)


def _values(code: PythonDocument, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    for binding in bindings(code, node):
        if binding.kind in (BindingKind.ASSIGNED, BindingKind.ENTERED) and binding.value is not None:
            yield binding.value
