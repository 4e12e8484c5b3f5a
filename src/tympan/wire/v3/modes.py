"""Modes of the U3 profile: named sets of numbers. PURE: standard library and `core` only.

The protocol names the modes and leaves their numbers open, but for the defaults, which are those of `balanced`. A
mode sets what it lists; a value given beside it wins, and so does one given later.
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
    "min_latency": Mode(min_silence_ms=100, max_silence_ms=600, partial_delay_ms=200, confidence_threshold=0.3),
    "balanced": Mode(min_silence_ms=100, max_silence_ms=1000, partial_delay_ms=500, confidence_threshold=0.4),
    "max_accuracy": Mode(min_silence_ms=400, max_silence_ms=1600, partial_delay_ms=800, confidence_threshold=0.6),
}
DEFAULT_MODE = "balanced"

_DEFAULT = MODES[DEFAULT_MODE]
U3_TURN = TurnConfig(
    finality=Finality.TURN,
    min_silence_ms=_DEFAULT.min_silence_ms,
    max_silence_ms=_DEFAULT.max_silence_ms,
    partial_delay_ms=_DEFAULT.partial_delay_ms,
    confidence_threshold=_DEFAULT.confidence_threshold,
    vad_threshold=0.3,
)
"""What a U3 session begins with (protocol reference, section 2.1)."""
