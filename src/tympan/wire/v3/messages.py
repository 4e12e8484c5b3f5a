"""The messages of protocol v3, one frozen dataclass each. PURE: standard library and `core` only.

Rules: field names are the protocol's spelling; times are integer milliseconds of audio; a field without
a value is None and stays off the wire. The text beside a field is its line in the protocol reference.
Binary messages carry audio and aren't listed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tympan.wire.codec import Codec


@dataclass(frozen=True, slots=True)
class UpdateConfiguration:
    """Change the session from now on. No reply. Absent or null leaves a value as it is.

    Fields mean the same as the connection parameters of the same name.
    """

    mode: str | None = None
    min_turn_silence: int | None = None
    min_end_of_turn_silence_when_confident: int | None = None
    max_turn_silence: int | None = None
    end_of_turn_confidence_threshold: float | None = None
    vad_threshold: float | None = None
    format_turns: bool | None = None
    keyterms_prompt: tuple[str, ...] | None = None
    prompt: str | None = None
    agent_context: str | None = None
    language_codes: tuple[str, ...] | None = None
    filter_profanity: bool | None = None
    interruption_delay: int | None = None
    continuous_partials: bool | None = None
    turn_left_pad_ms: int | None = None
    session_heartbeat: bool | None = None
    acknowledge_silence: bool | None = None


@dataclass(frozen=True, slots=True)
class ForceEndpoint:
    """End the open turn now. Without an open turn nothing happens."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Reset the inactivity timer, as any message does. No reply."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """End gracefully: the open turn ends, then come `Termination` and close code 1000. What follows has no effect."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the session runs with; part of `Begin`."""

    model: Annotated[str | None, "`speech_model` in use"] = None
    mode: Annotated[str | None, "never sent: US models have no modes"] = None
    api_version: Annotated[str | None, "the `AssemblyAI-Version` asked for, or the latest known"] = None
    speaker_labels: bool | None = None
    redact_pii: bool | None = None
    filter_profanity: bool | None = None
    domain: Annotated[str | None, "never sent: there are no domain models"] = None
    voice_focus: Annotated[str | None, "never sent: there is no noise suppression"] = None


@dataclass(frozen=True, slots=True)
class Begin:
    """The session began. First message, once."""

    id: Annotated[str, "session id, a UUID"]
    expires_at: Annotated[int, "Unix seconds at which the session ends by itself"]
    configuration: Configuration | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a `Turn`."""

    start: Annotated[int, "ms since the first audio sample of the session"]
    end: Annotated[int, "ms; not before `start`"]
    confidence: Annotated[float, "0 to 1"]
    text: str
    word_is_final: Annotated[bool, "a final word never changes its text"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a speaker has said so far in this turn; replaces what came before for this `turn_order`."""

    turn_order: Annotated[int, "0 for the first turn; one more for each finished turn"]
    turn_is_formatted: Annotated[bool, "true only on the second final of `format_turns`"]
    end_of_turn: Annotated[bool, "the turn is over"]
    transcript: Annotated[str, "the final words, joined by spaces"]
    end_of_turn_confidence: Annotated[float, "0 to 1, that the turn is over"]
    words: Annotated[tuple[Word, ...], "final words, then all tentative ones"]
    utterance: Annotated[str, "text of an utterance that a pause has just closed, else empty"] = ""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began. Other profiles only: this server doesn't send it yet, clients decode it."""

    timestamp: Annotated[int, "ms since the first audio sample"]
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """Something survivable. This server never sends it, clients decode it."""

    warning_code: int
    warning: str


@dataclass(frozen=True, slots=True)
class Termination:
    """The session ended gracefully. Last message, before close code 1000."""

    audio_duration_seconds: Annotated[int, "audio received"]
    session_duration_seconds: Annotated[int, "time since `Begin`"]


@dataclass(frozen=True, slots=True)
class Error:
    """Why the connection is about to be closed. Last message; the close code is `error_code`."""

    error: str
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class UnknownServerMessage:
    """A message of a type that this version doesn't know; clients should pass it over."""

    message_type: str


ClientMessage = UpdateConfiguration | ForceEndpoint | KeepAlive | Terminate
ServerMessage = Begin | Turn | SpeechStarted | ServerWarning | Termination | Error

MAX_CLIENT_MESSAGE_CHARS = 262_144
"""Two orders of magnitude above the largest sensible one (100 key terms, three texts of 1750)."""

CLIENT_TYPES: dict[str, type[ClientMessage]] = {
    "UpdateConfiguration": UpdateConfiguration,
    "ForceEndpoint": ForceEndpoint,
    "KeepAlive": KeepAlive,
    "Terminate": Terminate,
}
SERVER_TYPES: dict[str, type[ServerMessage]] = {
    "Begin": Begin,
    "Turn": Turn,
    "SpeechStarted": SpeechStarted,
    "Warning": ServerWarning,
    "Termination": Termination,
    "Error": Error,
}

CLIENT_CODEC: Codec[ClientMessage] = Codec(CLIENT_TYPES, tag="type", max_chars=MAX_CLIENT_MESSAGE_CHARS)
SERVER_CODEC: Codec[ServerMessage] = Codec(SERVER_TYPES, tag="type")
