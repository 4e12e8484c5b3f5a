"""Tagged frozen dataclass ↔ JSON text. PURE: standard library and `core` only.

Rules:
- A message is a JSON object; one key (the tag) names its type, all others are fields of its dataclass.
- Decoding ignores unknown fields, takes `null` for absent where a field may be None, and refuses an
  unknown type. Whatever the text holds, the outcome is a message or a `ProtocolError`.
- Encoding omits fields that are None (clients trip over nulls) and writes ASCII only, so that text with
  lone surrogates can still be sent. In what is decoded there are none: half of a pair, which JSON can spell
  and nothing can write down, is read as U+FFFD.
- A bool is not an integer. `5.0` is accepted where an integer is due, `5.5` isn't. NaN and infinities
  are refused both ways.

Field types may be str, int, float, bool, another dataclass, `tuple[X, ...]`, and any of them `| None`; or `Any`, for a
JSON value that nothing here looks into.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import partial
from types import NoneType, UnionType
from typing import Any, Generic, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from tympan.core.errors import BadParameter, MalformedMessage, NotJson, UnknownMessageType

M = TypeVar("M")
T = TypeVar("T")

_MAX_ECHO_CHARS = 100
_MAX_INTEGER = 2**53 - 1
"""Integers beyond this are no longer exact in JavaScript, and nothing here counts so far."""

_HALF_PAIR = re.compile("[\ud800-\udfff]")

_Reader = Callable[[str, Any], Any]
"""Turns the JSON value at a path into a field's value, or raises `BadParameter(path)`."""


class Codec(Generic[M]):
    """Encodes and decodes one closed set of message types, `types` by the name each has on the wire."""

    def __init__(self, types: Mapping[str, type[M]], *, tag: str, max_chars: int | None = None) -> None:
        self._tag = tag
        self._max_chars = max_chars
        self._readers = {name: _object_reader(cls) for name, cls in types.items()}
        self._names = {cls: name for name, cls in types.items()}

    def encode(self, message: M) -> str:
        """One line of ASCII JSON, tag first.

        Raises:
            ValueError: a field holds NaN or an infinity.
        """
        document = {self._tag: self._names[type(message)], **_to_json(message)}
        return json.dumps(document, separators=(",", ":"), allow_nan=False)

    def decode(self, text: str | bytes) -> M:
        """The message in a text.

        Raises:
            MalformedMessage: not JSON, too long, or not an object with a string under the tag.
            UnknownMessageType: a tag that isn't in the set.
            BadParameter: a field is missing or has the wrong type.
        """
        if self._max_chars is not None and len(text) > self._max_chars:
            raise MalformedMessage(
                f"Invalid Message: {len(text):,} characters, at most {self._max_chars:,} are accepted"
            )
        document = parse_json(text)
        if not isinstance(document, dict):
            raise MalformedMessage(f"Invalid Message: expected an object, got {_described(document)}")
        tag = document.get(self._tag)
        if not isinstance(tag, str):
            raise MalformedMessage(f"Invalid Message: expected a string under '{self._tag}', got {_described(tag)}")
        reader = self._readers.get(tag)
        if reader is None:
            raise UnknownMessageType(_whole(tag[:_MAX_ECHO_CHARS]))
        message: M = reader("", document)
        return message


def encode_object(message: Any) -> str:
    """One line of ASCII JSON for a dataclass that has no tag.

    Raises:
        ValueError: a field holds NaN or an infinity.
    """
    return json.dumps(_to_json(message), separators=(",", ":"), allow_nan=False)


def read_object(cls: type[T], document: Any) -> T:
    """A dataclass without a tag from a parsed JSON value.

    Raises:
        MalformedMessage: no object.
        BadParameter: a field is missing or has the wrong type.
    """
    if not isinstance(document, dict):
        raise MalformedMessage(f"Invalid Message: expected an object, got {_described(document)}")
    message: T = _object_reader(cls)("", document)
    return message


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        NotJson: not JSON, not UTF-8, nested too deep, or with a number that JSON doesn't have.
    """
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        return json.loads(decoded, parse_constant=_refuse_constant)
    except RecursionError:
        raise NotJson("Invalid JSON: nested too deep") from None
    except ValueError as error:
        raise NotJson(f"Invalid JSON: {error}"[: 2 * _MAX_ECHO_CHARS]) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _to_json(value: Any) -> Any:
    # Scalars first: every partial holds all words of its turn, so this is the wire's busiest line.
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, dict | list):
        return value  # of a field of type Any
    # The names themselves: fields() would build them anew for every word.
    named = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
    return {name: _to_json(item) for name, item in named if item is not None}


def _object_reader(cls: type[Any]) -> _Reader:
    hints = get_type_hints(cls)
    plan = tuple(_FieldPlan(field.name, _reader(hints[field.name]), _is_required(field)) for field in fields(cls))
    return partial(_read_object, cls, plan)


@dataclass(frozen=True, slots=True)
class _FieldPlan:
    name: str
    read: _Reader
    is_required: bool


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _read_object(cls: type[Any], plan: tuple[_FieldPlan, ...], path: str, value: Any) -> Any:
    if not isinstance(value, dict):
        raise _wrong_type(path, "an object", value)
    given = {}
    for field in plan:
        field_path = f"{path}.{field.name}" if path else field.name
        if field.name in value:
            given[field.name] = field.read(field_path, value[field.name])
        elif field.is_required:
            raise BadParameter(field_path, "is missing")
    return cls(**given)


def _reader(hint: Any) -> _Reader:
    if hint in _SCALAR_READERS:
        return _SCALAR_READERS[hint]
    if is_dataclass(hint):
        return _object_reader(hint)  # type: ignore[arg-type]
    arguments = get_args(hint)
    if get_origin(hint) is tuple and arguments[1:] == (...,):
        return partial(_read_list, _reader(arguments[0]))
    if get_origin(hint) is UnionType and len(arguments) == 2 and arguments[1] is NoneType:
        return partial(_read_optional, _reader(arguments[0]))
    raise TypeError(f"a message field can't be of type {hint}")


def _read_optional(read: _Reader, path: str, value: Any) -> Any:
    return None if value is None else read(path, value)


def _read_any(path: str, value: Any) -> Any:
    return value


def _read_list(read: _Reader, path: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong_type(path, "a list", value)
    return tuple(read(f"{path}.{index}", item) for index, item in enumerate(value))


def _read_str(path: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type(path, "a string", value)
    return _whole(value)


def _read_bool(path: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(path, "a boolean", value)
    return value


def _read_int(path: str, value: Any) -> int:
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_whole or abs(value) > _MAX_INTEGER:
        raise _wrong_type(path, "an integer", value)
    return int(value)


def _read_float(path: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MAX_INTEGER:
        raise _wrong_type(path, "a number", value)
    return float(value)


_SCALAR_READERS: Mapping[Any, _Reader] = {
    str: _read_str,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    Any: _read_any,
}


def _whole(text: str) -> str:
    """The text without halves of surrogate pairs."""
    return text if text.isascii() else _HALF_PAIR.sub("\ufffd", text)


def _wrong_type(path: str, expected: str, value: Any) -> BadParameter:
    return BadParameter(path, f"expected {expected}, got {_described(value)}")


def _described(value: Any) -> str:
    """A value as an error message may show it: short, and no text that a person may have said."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case int():
            return repr(value) if abs(value) <= _MAX_INTEGER else "a number too large"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
