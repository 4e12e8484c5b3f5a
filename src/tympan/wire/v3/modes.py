"""Modes of the U3 profile: named sets of numbers. PURE: standard library and `core` only.

The protocol names the modes and leaves their numbers open, but for the defaults, which are those of `balanced`. A
mode sets what it lists; a value given beside it wins, and so does one given later. How often they end turns in pauses,
and how soon where it is over, is in the benchmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.config import Finality, TurnConfig


@dataclass(frozen=True, slots=True)
class Mode:
    """What a mode sets. A turn that is looked at ends above the confidence."""

    min_silence_ms: int
    max_silence_ms: int
    partial_delay_ms: int
    confidence_threshold: float


MODES = {
    "min_latency": Mode(min_silence_ms=100, max_silence_ms=800, partial_delay_ms=200, confidence_threshold=0.3),
    "balanced": Mode(min_silence_ms=100, max_silence_ms=1000, partial_delay_ms=500, confidence_threshold=0.4),
    "max_accuracy": Mode(min_silence_ms=400, max_silence_ms=1600, partial_delay_ms=800, confidence_threshold=0.5),
}
DEFAULT_MODE = "balanced"


def turn_config(mode: Mode) -> TurnConfig:
    """What a U3 session begins with (protocol reference, section 2.1)."""
    return TurnConfig(
        confidence_threshold=mode.confidence_threshold,
        min_silence_ms=mode.min_silence_ms,
        max_silence_ms=mode.max_silence_ms,
        vad_threshold=0.3,
        finality=Finality.TURN,
        partial_delay_ms=mode.partial_delay_ms,
    )


U3_TURN = turn_config(MODES[DEFAULT_MODE])
