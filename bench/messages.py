"""What one streamed conversation leaves behind: every Turn message and when it came. PURE: no I/O.

Times named `at_ms` are on the stream clock: milliseconds since the instant t0 at which the first sample
was "spoken"; the chunk that holds audio [a, b) is sent at t0 + b.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ShownWord:
    """One word of a message; times count the session's audio."""

    text: str
    start_ms: int
    end_ms: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """One Turn message, or one event of a peer put in the same shape."""

    at_ms: float
    turn_order: int
    words: tuple[ShownWord, ...]
    transcript: str
    end_of_turn: bool
    is_formatted: bool

    @property
    def is_raw_final(self) -> bool:
        return self.end_of_turn and not self.is_formatted


@dataclass(frozen=True, slots=True)
class SentControl:
    """A control message of ours."""

    at_ms: float
    kind: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """The log of one session that ended gracefully."""

    turns: tuple[TurnMessage, ...]
    controls: tuple[SentControl, ...]
    audio_ms: int
    wall_s: float
    lag_p99_ms: float
    """How late our own sending was; above 50 ms real-time figures can't be trusted."""
    reported_audio_s: int | None = None

    @property
    def raw_text(self) -> str:
        """Text of the raw finals."""
        return " ".join(turn.transcript for turn in self.turns if turn.is_raw_final)

    @property
    def formatted_text(self) -> str:
        """Text of the formatted finals."""
        return " ".join(turn.transcript for turn in self.turns if turn.end_of_turn and turn.is_formatted)

    @property
    def text(self) -> str:
        """The last final of each turn."""
        last = {turn.turn_order: turn.transcript for turn in self.turns if turn.end_of_turn}
        return " ".join(last.values())

    @property
    def terminated_at_ms(self) -> float:
        """When Terminate was sent: what comes later didn't end by itself."""
        return next((c.at_ms for c in self.controls if c.kind == "Terminate"), float("inf"))


def turn_message(payload: Mapping[str, Any], at_ms: float) -> TurnMessage:
    """A v3 Turn, decoded at this edge.

    Raises:
        KeyError: a required field is missing.
    """
    words = tuple(
        ShownWord(word["text"], word["start"], word["end"], word["word_is_final"]) for word in payload["words"]
    )
    return TurnMessage(
        at_ms,
        payload["turn_order"],
        words,
        payload["transcript"],
        payload["end_of_turn"],
        payload["turn_is_formatted"],
    )
