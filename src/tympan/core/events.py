"""What happened, in the past tense, in no protocol's words. PURE: standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tympan.core.config import SessionConfig
from tympan.core.units import StreamMs
from tympan.core.words import Word


class EndReason(StrEnum):
    """Why a turn ended."""

    CONFIDENT = "confident"
    SILENT = "silent"
    FORCED = "forced"
    SESSION_ENDED = "session_ended"


@dataclass(frozen=True, slots=True)
class ResumeOffer:
    """A client that is lost is waited for so long; who shows the key may go on with the session."""

    key: str = field(repr=False)
    window_s: int


@dataclass(frozen=True, slots=True)
class SessionBegan:
    """First event of a session. `expires_at_unix_s` is wall-clock time; the offer is None where there is none."""

    session_id: str
    expires_at_unix_s: int
    resume: ResumeOffer | None = None


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """The session goes on over another connection, with the next byte of audio and text message of the client."""

    session_id: str
    expires_at_unix_s: int
    received_bytes: int
    texts_received: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """First speech of a turn, told before the turn's first update. `confidence`: the highest probability of speech
    (0 to 1) that was heard in the turn so far."""

    turn_order: int
    onset_ms: StreamMs
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class TurnUpdated:
    """The open turn reads differently, or an utterance in it closed.

    The first `final_count` words are final. `utterance_words` are the words of an utterance that a
    pause has just closed (all final), else empty.
    """

    turn_order: int
    words: tuple[Word, ...]
    final_count: int
    end_of_turn_confidence: float
    utterance_words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is over; all words are final. Exactly one for each turn."""

    turn_order: int
    words: tuple[Word, ...]
    formatted_words: tuple[Word, ...]
    end_of_turn_confidence: float
    reason: EndReason
    utterance_words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigurationChanged:
    """An UpdateConfiguration took effect here, between the events before and after it."""

    config: SessionConfig


@dataclass(frozen=True, slots=True)
class SilencePassed:
    """Nobody spoke in this stretch of audio; told about once a second to who wants to know."""

    start_ms: StreamMs
    end_ms: StreamMs


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The session lives; told at fixed times in the room to who wants to know.

    `realtime_factor` is audio received ÷ time passed since the session began: 1 when it comes at real time.
    `speech_probability` is the highest (0 to 1) that was heard since the beat before.
    """

    audio_received_ms: StreamMs
    session_duration_ms: int
    realtime_factor: float
    speech_probability: float


@dataclass(frozen=True, slots=True)
class CheckpointReached:
    """So much has been received, and all that was spoken before `settled_ms` has been told in final words."""

    received_bytes: int
    settled_ms: StreamMs
    texts_received: int


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Last event of a session that ended gracefully: audio received, and time since it began."""

    audio_duration_s: float
    session_duration_s: float


TurnEvent = SpeechStarted | TurnUpdated | TurnEnded | ConfigurationChanged | SilencePassed
"""What a listener says."""

Event = SessionBegan | SessionResumed | TurnEvent | Heartbeat | CheckpointReached | SessionEnded
"""What a session says."""
