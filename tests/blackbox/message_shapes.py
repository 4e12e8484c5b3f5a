"""What each message of a service holds (protocol reference, sections 4.1 to 4.10): exact keys, exact types.

A whole number that is written `1.0` is no integer here: the official Python SDK stops reading at one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from call import Message, short


@dataclass(frozen=True)
class Field:
    """`kind` is a Python type, or a table of the fields of an object or of the objects in a list."""

    kind: type | Mapping[str, Field]
    is_required: bool = True
    is_ours: bool = False
    """Of tympan's extensions: no fault elsewhere, but never required."""
    is_list: bool = False
    may_be_null: bool = False


Shape = Mapping[str, Field]

WHOLE, NUMBER, TEXT, YES_OR_NO = Field(int), Field(float), Field(str), Field(bool)


def optional(field: Field, *, may_be_null: bool = False) -> Field:
    return Field(field.kind, is_required=False, may_be_null=may_be_null)


def _unset(field: Field) -> Field:
    """The hosted service writes null there."""
    return optional(field, may_be_null=True)


CONFIGURATION: Shape = {
    "model": _unset(TEXT),
    "mode": _unset(TEXT),
    "api_version": _unset(TEXT),
    "speaker_labels": _unset(YES_OR_NO),
    "redact_pii": _unset(YES_OR_NO),
    "filter_profanity": _unset(YES_OR_NO),
    "domain": _unset(TEXT),
    "voice_focus": _unset(TEXT),
}
WORD: Shape = {
    "start": WHOLE,
    "end": WHOLE,
    "confidence": NUMBER,
    "text": TEXT,
    "word_is_final": YES_OR_NO,
    "speaker": optional(TEXT),
    "speaker_confidence": optional(NUMBER),
}
SHAPES: Mapping[str, Shape] = {
    "Begin": {
        "id": TEXT,
        "expires_at": WHOLE,
        "configuration": Field(CONFIGURATION, is_required=False),
        "resume_key": Field(str, is_required=False, is_ours=True),
        "resume_window_seconds": Field(int, is_required=False, is_ours=True),
    },
    "SpeechStarted": {"timestamp": WHOLE, "confidence": NUMBER},
    "Turn": {
        "turn_order": WHOLE,
        "turn_is_formatted": YES_OR_NO,
        "end_of_turn": YES_OR_NO,
        "transcript": TEXT,
        "end_of_turn_confidence": NUMBER,
        "words": Field(WORD, is_list=True),
        "utterance": TEXT,
        "language_code": optional(TEXT),
        "language_confidence": optional(NUMBER),
        "speaker_label": optional(TEXT),
        "speaker_confidence": optional(NUMBER),
    },
    "Heartbeat": {
        "total_audio_received_ms": WHOLE,
        "total_duration_ms": WHOLE,
        "realtime_factor": NUMBER,
        "max_speech_probability": optional(NUMBER),
    },
    "Silence": {"start_ms": WHOLE, "end_ms": WHOLE},
    "Warning": {"warning_code": WHOLE, "warning": TEXT},
    "Termination": {"audio_duration_seconds": WHOLE, "session_duration_seconds": WHOLE},
    "Error": {"error": TEXT, "error_code": WHOLE},
    "Checkpoint": {
        "audio_received_bytes": Field(int, is_ours=True),
        "audio_settled_ms": Field(int, is_ours=True),
        "messages_received": Field(int, is_ours=True),
    },
    "Resumed": {
        "id": Field(str, is_ours=True),
        "audio_received_bytes": Field(int, is_ours=True),
        "messages_received": Field(int, is_ours=True),
        "expires_at": Field(int, is_ours=True),
    },
    "SpeakerRevision": {"revisions": Field({}, is_list=True)},
    "LLMGatewayResponse": {"turn_order": WHOLE, "transcript": TEXT, "data": Field(dict)},
}


def faults(message: Message, *, is_ours: bool) -> Iterator[str]:
    """What is wrong with a message; our own server may hold no key that isn't listed."""
    name = message.get("type")
    if name not in SHAPES:
        yield f"no such message: {short(message)}"
        return
    if "error" in message and name != "Error":
        yield f"{name} has the key 'error', which the JavaScript SDK takes for a failure"
    yield from _object_faults(f"{name}", message, SHAPES[name], is_ours=is_ours, known={"type"})
    if name in ("Begin", "Resumed") and not _is_uuid(message.get("id")):
        yield f"{name}.id is {message.get('id')!r}, no UUID"


def _object_faults(path: str, value: Message, shape: Shape, *, is_ours: bool, known: set[str]) -> Iterator[str]:
    for key, field in shape.items():
        if key in value:
            yield from _field_faults(f"{path}.{key}", value[key], field, is_ours=is_ours)
        elif field.is_required:
            yield f"{path}.{key} is missing"
    if is_ours and shape:
        yield from (f"{path}.{key} isn't in the reference" for key in value if key not in shape and key not in known)


def _field_faults(path: str, value: Any, field: Field, *, is_ours: bool) -> Iterator[str]:
    if value is None:
        if is_ours or not field.may_be_null:
            yield f"{path} is null: what has no value is left out"
    elif field.is_list:
        if not isinstance(value, list):
            yield f"{path} is {short(value)}, expected a list"
            return
        for place, item in enumerate(value):
            yield from _field_faults(f"{path}[{place}]", item, Field(field.kind), is_ours=is_ours)
    elif isinstance(field.kind, type):
        accepted = (int, float) if field.kind is float else (field.kind,)
        if type(value) not in accepted:
            yield f"{path} is {short(value)}, expected {field.kind.__name__}"
    elif not isinstance(value, dict):
        yield f"{path} is {short(value)}, expected an object"
    else:
        yield from _object_faults(path, value, field.kind, is_ours=is_ours, known=set())


def _is_uuid(value: object) -> bool:
    try:
        return str(UUID(str(value))) == value
    except ValueError:
        return False
