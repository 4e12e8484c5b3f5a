"""The server's messages of protocol v2, one frozen dataclass each. PURE: standard library and `core` only.

Rules: field names are the protocol's spelling; times are integer milliseconds of audio; moments are UTC
without a zone, in ISO 8601. Old official clients need every field of a message. The text beside a field
is its line in the protocol reference. `Error` is the one message without a `message_type`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from tympan.wire.codec import Codec, encode_object, parse_json, read_object

_LAST_UNIX_S = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class SessionBegins:
    """The session began. First message, once."""

    session_id: Annotated[str, "a UUID of version 4"]
    expires_at: Annotated[str, "when the session ends by itself; UTC, ISO 8601 without zone"]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a transcript."""

    start: Annotated[int, "ms since the first audio sample of the session"]
    end: Annotated[int, "ms; not before `start`"]
    confidence: Annotated[float, "0 to 1"]
    text: str


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """All words of the utterance so far, lower case without punctuation; replaces the one before. Never empty."""

    audio_start: Annotated[int, "`start` of the first word"]
    audio_end: Annotated[int, "`end` of the last word"]
    confidence: Annotated[float, "mean of the words"]
    text: str
    words: tuple[Word, ...]
    created: Annotated[str, "when it was told; UTC, ISO 8601 without zone"]


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """The utterance is over."""

    audio_start: Annotated[int, "`start` of the first word"]
    audio_end: Annotated[int, "`end` of the last word"]
    confidence: Annotated[float, "mean of the words"]
    text: str
    words: Annotated[tuple[Word, ...], "as in `text`, with case and punctuation"]
    created: Annotated[str, "when it was told; UTC, ISO 8601 without zone"]
    punctuated: Annotated[bool, "true: with case and punctuation"]
    text_formatted: Annotated[bool, "true, as `punctuated`"]


@dataclass(frozen=True, slots=True)
class SessionInformation:
    """Just before `SessionTerminated`, and only with `enable_extra_session_information`."""

    audio_duration_seconds: Annotated[float, "audio received"]


@dataclass(frozen=True, slots=True)
class SessionTerminated:
    """The session is over. Last message of every session that began, whatever ends it."""


@dataclass(frozen=True, slots=True)
class Error:
    """Why the connection is about to be closed."""

    error: str


TypedServerMessage = SessionBegins | PartialTranscript | FinalTranscript | SessionInformation | SessionTerminated
ServerMessage = TypedServerMessage | Error

SERVER_TYPES: dict[str, type[TypedServerMessage]] = {
    "SessionBegins": SessionBegins,
    "PartialTranscript": PartialTranscript,
    "FinalTranscript": FinalTranscript,
    "SessionInformation": SessionInformation,
    "SessionTerminated": SessionTerminated,
}
_SERVER_CODEC: Codec[TypedServerMessage] = Codec(SERVER_TYPES, tag="message_type")


def encode_server(message: ServerMessage) -> str:
    """The text message that says this to a client."""
    return encode_object(message) if isinstance(message, Error) else _SERVER_CODEC.encode(message)


def decode_server(text: str | bytes) -> ServerMessage:
    """What a server's text message says.

    Raises:
        ProtocolError: the server broke the protocol.
    """
    document = parse_json(text)
    if isinstance(document, dict) and "message_type" not in document and "error" in document:
        return read_object(Error, document)
    return _SERVER_CODEC.decode(text)


def moment(unix_s: float) -> str:
    """A moment as v2 writes it, `2023-11-04T16:51:38.316048`: UTC without a zone.

    One before 1970 or after the year 9999, which only a service with a strange clock tells of, is the nearest of these.
    """
    written = datetime.fromtimestamp(min(max(unix_s, 0), _LAST_UNIX_S), UTC)
    return written.replace(tzinfo=None).isoformat(timespec="microseconds")
