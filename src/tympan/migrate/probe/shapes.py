"""Fields of the messages, as strict as the strictest client. PURE: standard library only.

A JSON number with a fraction part is no integer here, not even 5.0, and a field without a value is to be left out:
both are what real clients trip over (protocol reference, section 0.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_INTEGER, _NUMBER, _TEXT = "an integer", "a number", "a text"
_BOOLEAN, _LIST, _OBJECT = "true or false", "a list", "an object"

_MISSING = "send it always: clients with typed messages stop reading at the first message that lacks it"
_FLOAT = "send a JSON integer: the official Python SDK stops reading at the first number like 1.5 here"
_NULL = "leave out what has no value: some clients drop the whole message"
_WRONG = "send what the protocol reference says"
_ERROR_KEY = "no key may be called 'error' here: the official JavaScript SDK takes the message for an error"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `items` are the fields of each element of a list."""

    name: str
    kind: str
    is_required: bool = True
    items: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a message, and what to do."""

    text: str
    advice: str


_WORD = (Field("start", _INTEGER), Field("end", _INTEGER), Field("confidence", _NUMBER), Field("text", _TEXT))

V3_SHAPES: Mapping[str, tuple[Field, ...]] = {
    "Begin": (Field("id", _TEXT), Field("expires_at", _INTEGER), Field("configuration", _OBJECT, False)),
    "SpeechStarted": (Field("timestamp", _INTEGER), Field("confidence", _NUMBER)),
    "Turn": (
        Field("turn_order", _INTEGER),
        Field("turn_is_formatted", _BOOLEAN),
        Field("end_of_turn", _BOOLEAN),
        Field("transcript", _TEXT),
        Field("end_of_turn_confidence", _NUMBER),
        Field("words", _LIST, items=(*_WORD, Field("word_is_final", _BOOLEAN), Field("speaker", _TEXT, False))),
        Field("utterance", _TEXT, False),
        Field("language_code", _TEXT, False),
        Field("language_confidence", _NUMBER, False),
        Field("speaker_label", _TEXT, False),
    ),
    "Termination": (Field("audio_duration_seconds", _INTEGER), Field("session_duration_seconds", _INTEGER)),
    "Error": (Field("error", _TEXT), Field("error_code", _INTEGER)),
    "Warning": (Field("warning_code", _INTEGER), Field("warning", _TEXT)),
    "Heartbeat": (
        Field("total_audio_received_ms", _INTEGER),
        Field("total_duration_ms", _INTEGER),
        Field("realtime_factor", _NUMBER),
    ),
    "Silence": (Field("start_ms", _INTEGER), Field("end_ms", _INTEGER)),
}
"""Protocol reference, section 4."""

_TRANSCRIPT = (
    Field("audio_start", _INTEGER),
    Field("audio_end", _INTEGER),
    Field("confidence", _NUMBER),
    Field("text", _TEXT),
    Field("words", _LIST, items=_WORD),
    Field("created", _TEXT),
)

V2_SHAPES: Mapping[str, tuple[Field, ...]] = {
    "SessionBegins": (Field("session_id", _TEXT), Field("expires_at", _TEXT)),
    "PartialTranscript": _TRANSCRIPT,
    "FinalTranscript": (*_TRANSCRIPT, Field("punctuated", _BOOLEAN), Field("text_formatted", _BOOLEAN)),
    "SessionInformation": (Field("audio_duration_seconds", _NUMBER),),
    "SessionTerminated": (),
}
"""Protocol reference, section 8.3."""


def problems_of(message_type: str, document: Mapping[str, Any], shape: tuple[Field, ...]) -> Iterator[Problem]:
    """What is wrong with the fields of a message."""
    yield from _fields(message_type, document, shape)
    if message_type != "Error" and "error" in document:
        yield Problem(f"{message_type}.error is there", _ERROR_KEY)


def _fields(path: str, document: Mapping[str, Any], shape: tuple[Field, ...]) -> Iterator[Problem]:
    for field in shape:
        place = f"{path}.{field.name}"
        if field.name not in document:
            if field.is_required:
                yield Problem(f"{place} is missing", _MISSING)
            continue
        value = document[field.name]
        problem = _value(place, value, field.kind)
        if problem is not None:
            yield problem
        elif field.items:
            for element in value:
                if isinstance(element, dict):
                    yield from _fields(f"{place}[]", element, field.items)
                else:
                    yield Problem(f"{place}[] is {_described(element)}, expected an object", _WRONG)


def _value(place: str, value: Any, kind: str) -> Problem | None:
    if value is None:
        return Problem(f"{place} is null", _NULL)
    if _is_kind(value, kind):
        return None
    advice = _FLOAT if kind == _INTEGER and isinstance(value, float) else _WRONG
    return Problem(f"{place} is {_described(value)}, expected {kind}", advice)


def _is_kind(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == _BOOLEAN
    types: dict[str, type | tuple[type, ...]] = {
        _INTEGER: int,
        _NUMBER: (int, float),
        _TEXT: str,
        _LIST: list,
        _OBJECT: dict,
    }
    return kind in types and isinstance(value, types[kind])


def _described(value: Any) -> str:
    """A value as a finding may show it: numbers as they stand, nothing that a person may have said."""
    match value:
        case bool() | int() | float():
            return repr(value).lower()
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "null"
