"""Settings of one session, protocol-neutral. PURE: standard library only.

Defaults are those of the US profile (protocol reference, section 2.1); `Finality` is what tells profiles apart here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from tympan.core.audio import AudioFormat, SessionAudio

T = TypeVar("T")


class Finality(StrEnum):
    """What may become final while a turn is open; the turn machine and the engine obey it for a whole session."""

    WORDS = "words"
    """Words, one by one: a final word never changes."""
    TURN = "turn"
    """Nothing: the open turn is read as a whole, now and then, and all of it becomes final where it ends."""


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """When a turn ends, and when an open one is told.

    Under `Finality.WORDS` a threshold of 0 ends a turn at `min_silence_ms` always, 1 on silence alone, and
    every change of the open turn is told. Under `Finality.TURN` the first partial comes after
    `partial_delay_ms` of speech and a fixed time (see `cadence`), others in pauses of at least `min_silence_ms`
    and, with `has_continuous_partials`, in long speech.
    Clients change one value at a time, so `max_silence_ms` may lie below `min_silence_ms`: it counts as
    equal then, and as itself again when the other falls. `left_pad_ms` is the audio up to the end of the first
    voiced frame that the recogniser hears with a turn.
    """

    confidence_threshold: float = 0.4
    min_silence_ms: int = 400
    max_silence_ms: int = 1280
    vad_threshold: float = 0.4
    finality: Finality = Finality.WORDS
    left_pad_ms: int = 320
    partial_delay_ms: int = 500
    has_continuous_partials: bool = True

    @property
    def longest_silence_ms(self) -> int:
        """The silence that always ends a turn."""
        return max(self.min_silence_ms, self.max_silence_ms)


class FormattedSource(StrEnum):
    """Where the words of a formatted final come from."""

    FULL_DECODE = "full_decode"
    """One decode of the whole turn: the quality of offline transcription; words may be corrected."""
    FINAL_WORDS = "final_words"
    """The immutable words themselves, with case and punctuation."""


class Microphone(StrEnum):
    """Where the speaker is, as clients tell it that want noise suppressed."""

    NEAR_FIELD = "near-field"
    """Close to it: a headset, a handset."""
    FAR_FIELD = "far-field"
    """Across the room: faint speech must not pass for noise."""


@dataclass(frozen=True, slots=True)
class FocusConfig:
    """Noise suppression before anything listens. `strength`: the share, 0 to 1, of the decibels that are allowed."""

    microphone: Microphone
    strength: float = 0.5


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """What the client wants to see."""

    format_turns: bool = False
    include_partial_turns: bool = True
    formatted_source: FormattedSource = FormattedSource.FULL_DECODE
    filter_profanity: bool = False
    has_heartbeat: bool = False
    has_silence: bool = False
    has_language: bool = False


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Bounds of one session. Durations of chunks are per binary message; None means no bound.

    `is_strict` refuses what the hosted service refuses: values that are otherwise clamped, and audio that would wait
    there. Chunks below `min_chunk_ms` are an error once there was a second of them in a row.
    """

    inactivity_timeout_s: float | None = None
    max_duration_s: float = 10_800
    max_backlog_ms: int = 300_000
    max_chunk_ms: int = 10_000
    min_chunk_ms: int = 0
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """All that a session needs to know before the first sample."""

    audio: SessionAudio = field(default_factory=AudioFormat)
    turn: TurnConfig = field(default_factory=TurnConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    limits: SessionLimits = field(default_factory=SessionLimits)
    focus: FocusConfig | None = None


@dataclass(frozen=True, slots=True)
class ConfigUpdate:
    """A change in mid-session; None leaves a value as it is."""

    confidence_threshold: float | None = None
    min_silence_ms: int | None = None
    max_silence_ms: int | None = None
    vad_threshold: float | None = None
    format_turns: bool | None = None
    filter_profanity: bool | None = None
    left_pad_ms: int | None = None
    partial_delay_ms: int | None = None
    has_continuous_partials: bool | None = None
    has_heartbeat: bool | None = None
    has_silence: bool | None = None

    def apply_to(self, config: SessionConfig) -> SessionConfig:
        """The configuration from now on."""
        turn, output = config.turn, config.output
        new_turn = replace(
            turn,
            confidence_threshold=_or(self.confidence_threshold, turn.confidence_threshold),
            min_silence_ms=_or(self.min_silence_ms, turn.min_silence_ms),
            max_silence_ms=_or(self.max_silence_ms, turn.max_silence_ms),
            vad_threshold=_or(self.vad_threshold, turn.vad_threshold),
            left_pad_ms=_or(self.left_pad_ms, turn.left_pad_ms),
            partial_delay_ms=_or(self.partial_delay_ms, turn.partial_delay_ms),
            has_continuous_partials=_or(self.has_continuous_partials, turn.has_continuous_partials),
        )
        new_output = replace(
            output,
            format_turns=_or(self.format_turns, output.format_turns),
            filter_profanity=_or(self.filter_profanity, output.filter_profanity),
            has_heartbeat=_or(self.has_heartbeat, output.has_heartbeat),
            has_silence=_or(self.has_silence, output.has_silence),
        )
        return replace(config, turn=new_turn, output=new_output)


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
