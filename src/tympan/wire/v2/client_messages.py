"""The client's text messages of protocol v2. PURE: standard library and `core` only.

A message has no type: it is an object with one of the keys below. A key whose value is false or null asks
for nothing. Whatever a text holds, the outcome is a message or a `ProtocolError`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from tympan.core.errors import BadParameter, MalformedMessage
from tympan.wire.codec import parse_json, read_object
from tympan.wire.kinds import Integer

DEFAULT_SILENCE_MS = 700
MAX_SILENCE_MS = 20_000
"""`end_utterance_silence_threshold` (protocol reference, section 8.2)."""

_SILENCE = Integer(0, MAX_SILENCE_MS, "ms")


@dataclass(frozen=True, slots=True)
class AudioData:
    """Audio; the same as a binary message with these bytes."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class TerminateSession:
    """End gracefully: the open utterance ends, then come `SessionTerminated` and close code 1000."""


@dataclass(frozen=True, slots=True)
class ForceEndUtterance:
    """End the open utterance now. Without one nothing happens."""


@dataclass(frozen=True, slots=True)
class EndUtteranceSilenceThreshold:
    """From now on, an utterance ends after that much silence."""

    silence_ms: int


@dataclass(frozen=True, slots=True)
class NothingAsked:
    """Known keys alone, all false or null."""


ClientMessage = AudioData | TerminateSession | ForceEndUtterance | EndUtteranceSilenceThreshold | NothingAsked

FORMS: Mapping[str, tuple[str, type[ClientMessage]]] = {
    '{"audio_data": "BASE64"}': ("audio_data", AudioData),
    '{"terminate_session": true}': ("terminate_session", TerminateSession),
    '{"force_end_utterance": true}': ("force_end_utterance", ForceEndUtterance),
    '{"end_utterance_silence_threshold": MS}': ("end_utterance_silence_threshold", EndUtteranceSilenceThreshold),
}
"""What each message looks like, its key and its type."""


@dataclass(frozen=True, slots=True)
class _Fields:
    audio_data: str | None = None
    terminate_session: bool | None = None
    force_end_utterance: bool | None = None
    end_utterance_silence_threshold: int | None = None


def decode_client(text: str | bytes, *, is_strict: bool = False) -> ClientMessage:
    """What a client's text message says. A silence out of its range is clamped unless `is_strict`.

    Raises:
        NotJson: no JSON.
        MalformedMessage: not an object with exactly one known key that asks for something.
        BadParameter: the value of a key can't be used.
    """
    document = parse_json(text)
    keys = [key for key, _ in FORMS.values()]
    if not isinstance(document, dict) or not any(key in document for key in keys):
        raise MalformedMessage(f"Invalid Message: expected an object with one of {', '.join(keys)}")
    fields = read_object(_Fields, document)
    asked = [message for message in _asked(fields, is_strict=is_strict) if message is not None]
    if len(asked) > 1:
        raise MalformedMessage("Invalid Message: several requests in one message; send one message for each")
    return asked[0] if asked else NothingAsked()


def encode_client(message: ClientMessage) -> str:
    """The text message that says this to a server."""
    match message:
        case AudioData(payload):
            fields: dict[str, object] = {"audio_data": base64.b64encode(payload).decode("ascii")}
        case TerminateSession():
            fields = {"terminate_session": True}
        case ForceEndUtterance():
            fields = {"force_end_utterance": True}
        case EndUtteranceSilenceThreshold(silence_ms):
            fields = {"end_utterance_silence_threshold": silence_ms}
        case NothingAsked():
            fields = {"terminate_session": False}
        case _:
            assert_never(message)
    return json.dumps(fields)


def turn_silences(silence_ms: int, usual_min_ms: int) -> tuple[int, int]:
    """Shortest and longest silence that end a turn as v2 does: on silence alone, after `silence_ms`.

    The shorter one is without effect then, but where it is above the longer it would count instead. 0 can't
    be told apart from no silence at all, so it counts as 1.
    """
    longest_ms = max(1, silence_ms)
    return min(usual_min_ms, longest_ms), longest_ms


def _asked(fields: _Fields, *, is_strict: bool) -> tuple[ClientMessage | None, ...]:
    silence_ms = fields.end_utterance_silence_threshold
    return (
        None if fields.audio_data is None else AudioData(_bytes(fields.audio_data)),
        TerminateSession() if fields.terminate_session else None,
        ForceEndUtterance() if fields.force_end_utterance else None,
        None if silence_ms is None else EndUtteranceSilenceThreshold(_silence(silence_ms, is_strict=is_strict)),
    )


def _silence(silence_ms: int, *, is_strict: bool) -> int:
    return _SILENCE.check("end_utterance_silence_threshold", silence_ms, is_strict=is_strict)


def _bytes(text: str) -> bytes:
    """Encoders that break lines are common; anything else outside the alphabet is an error."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadParameter("audio_data", "expected base64, with padding") from None
