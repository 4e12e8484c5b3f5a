"""The messages of protocol v3, one frozen dataclass each. PURE: standard library and `core` only.

Rules: field names are the protocol's spelling; times are integer milliseconds of audio; a field without
a value is None and stays off the wire. The text beside a field is its line in the protocol reference.
Binary messages carry audio and aren't listed here. The messages of the resume extension are ours alone: only
a client that asks for `resumable` sends or is sent them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

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
    mode: Annotated[str | None, "U3: the mode asked for, or `balanced`"] = None
    api_version: Annotated[str | None, "the `AssemblyAI-Version` asked for, or the latest known"] = None
    speaker_labels: bool | None = None
    redact_pii: bool | None = None
    filter_profanity: bool | None = None
    domain: Annotated[str | None, "never sent: there are no domain models"] = None
    voice_focus: Annotated[str | None, "as asked for, where noise is suppressed"] = None


@dataclass(frozen=True, slots=True)
class Begin:
    """The session began. First message, once."""

    id: Annotated[str, "session id, a UUID"]
    expires_at: Annotated[int, "Unix seconds at which the session ends by itself"]
    configuration: Configuration | None = None
    resume_key: Annotated[str | None, "only with `resumable`: opens this session again, and nothing else"] = field(
        default=None, repr=False
    )
    resume_window_seconds: Annotated[
        int | None, "only with `resumable`: how long the session is kept for a client that was cut off"
    ] = None


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
    turn_is_formatted: Annotated[bool, "true on the second final of `format_turns`; U3: on every final"]
    end_of_turn: Annotated[bool, "the turn is over"]
    transcript: Annotated[str, "the final words, joined by spaces; U3: the whole turn so far, formatted"]
    end_of_turn_confidence: Annotated[float, "0 to 1, that the turn is over; U3: 1 on finals"]
    words: Annotated[tuple[Word, ...], "final words, then all tentative ones; U3: none is final before the end"]
    utterance: Annotated[
        str, "text of an utterance that a pause has just closed, else empty; U3: the transcript, on finals"
    ] = ""
    language_code: Annotated[
        str | None, "only with `language_detection`, and only with an utterance or at the end of the turn"
    ] = None
    language_confidence: Annotated[
        float | None, "beside the code: mean confidence of the words, since another language is heard badly"
    ] = None


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """U3 alone: somebody speaks. Once a turn, before its first `Turn`."""

    timestamp: Annotated[int, "where the speech begins, ms since the first audio sample"]
    confidence: Annotated[float | None, "0 to 1, that it is speech; always sent by this server"] = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Only with `session_heartbeat`: the session lives."""

    total_audio_received_ms: Annotated[int, "audio received"]
    total_duration_ms: Annotated[int, "time since `Begin`"]
    realtime_factor: Annotated[float, "audio received ÷ time passed"]
    max_speech_probability: Annotated[
        float | None, "0 to 1, the highest heard since the last one; always sent by this server"
    ] = None


@dataclass(frozen=True, slots=True)
class Silence:
    """U3 alone, with `acknowledge_silence`: nobody spoke in this stretch of audio."""

    start_ms: Annotated[int, "ms since the first audio sample; the end of the speech or of the stretch before it"]
    end_ms: Annotated[int, "ms; about a second after `start_ms`"]


@dataclass(frozen=True, slots=True)
class LLMGatewayResponse:
    """Only with `llm_gateway`, and where the operator has set up a language model: what it says of a finished turn.

    It comes when it is there, after the turn's last `Turn`; other messages, also of later turns, may come first, and
    answers may overtake each other. A question that fails has no answer. `Termination` waits for what is still asked,
    but not for long.
    """

    turn_order: Annotated[int, "of the turn it was asked about"]
    transcript: Annotated[str, "what stood for `{{turn}}`: the transcript of the turn's last `Turn`"]
    data: Annotated[Any, "the model's answer as it came: a chat completion, text in `choices[0].message.content`"]


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
class Checkpoint:
    """How far the session has come. About once a second of audio, and after each turn has ended."""

    audio_received_bytes: Annotated[int, "audio received, over all connections"]
    audio_settled_ms: Annotated[
        int, "whatever was spoken before this has been told in final words; the audio before it may be forgotten"
    ]
    messages_received: Annotated[int, "text messages of the client received, `Acknowledge` not counted"]


@dataclass(frozen=True, slots=True)
class Resumed:
    """The session goes on. First message of a connection that resumes; it isn't counted as a message."""

    id: Annotated[str, "session id, as in `Begin`"]
    audio_received_bytes: Annotated[int, "audio received, over all connections; the client goes on with the next byte"]
    messages_received: Annotated[
        int, "text messages of the client received, `Acknowledge` not counted; the client goes on with the next one"
    ]
    expires_at: Annotated[int, "Unix seconds at which the session ends by itself, as in `Begin`"]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The server's messages so far have come; it forgets them. No reply."""

    messages: Annotated[int, "text messages of the server received, over all connections, `Resumed` not counted"]


@dataclass(frozen=True, slots=True)
class UnknownServerMessage:
    """A message of a type that this version doesn't know; clients should pass it over."""

    message_type: str


PlainClientMessage = UpdateConfiguration | ForceEndpoint | KeepAlive | Terminate
ClientMessage = PlainClientMessage | Acknowledge
ServerMessage = (
    Begin
    | SpeechStarted
    | Turn
    | Heartbeat
    | Silence
    | LLMGatewayResponse
    | ServerWarning
    | Termination
    | Error
    | Checkpoint
    | Resumed
)

LATEST_API_VERSION = "2025-05-12"
"""Of these messages; clients name it in the header `AssemblyAI-Version` (protocol reference, section 1)."""

MAX_CLIENT_MESSAGE_CHARS = 262_144
"""Two orders of magnitude above the largest sensible one (100 key terms, three texts of 1750)."""

CLIENT_TYPES: dict[str, type[PlainClientMessage]] = {
    "UpdateConfiguration": UpdateConfiguration,
    "ForceEndpoint": ForceEndpoint,
    "KeepAlive": KeepAlive,
    "Terminate": Terminate,
}
SERVER_TYPES: dict[str, type[ServerMessage]] = {
    "Begin": Begin,
    "SpeechStarted": SpeechStarted,
    "Turn": Turn,
    "Heartbeat": Heartbeat,
    "Silence": Silence,
    "LLMGatewayResponse": LLMGatewayResponse,
    "Warning": ServerWarning,
    "Termination": Termination,
    "Error": Error,
}

RESUME_CLIENT_TYPES: dict[str, type[Acknowledge]] = {"Acknowledge": Acknowledge}
RESUME_SERVER_TYPES: dict[str, type[ServerMessage]] = {"Checkpoint": Checkpoint, "Resumed": Resumed}

CLIENT_CODEC: Codec[PlainClientMessage] = Codec(CLIENT_TYPES, tag="type", max_chars=MAX_CLIENT_MESSAGE_CHARS)
"""What a session knows that isn't resumable."""

RESUMABLE_CLIENT_CODEC: Codec[ClientMessage] = Codec(
    {**CLIENT_TYPES, **RESUME_CLIENT_TYPES}, tag="type", max_chars=MAX_CLIENT_MESSAGE_CHARS
)
SERVER_CODEC: Codec[ServerMessage] = Codec({**SERVER_TYPES, **RESUME_SERVER_TYPES}, tag="type")
