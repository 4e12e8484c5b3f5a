"""Clocks and units. PURE: standard library only.

Two clocks exist and never mix: `StreamMs` counts audio received, `Monotonic` counts seconds in the
room. Each is its own type, so that comparing one with the other fails type checking.
"""

from __future__ import annotations

from typing import NewType

StreamMs = NewType("StreamMs", int)
"""Milliseconds of audio since the first sample of the session."""

Monotonic = NewType("Monotonic", float)
"""Seconds of a monotonic clock; only differences mean anything."""

SampleIndex = NewType("SampleIndex", int)
"""Index of a sample since the first one of the session, at a rate that the name beside it states."""

ENGINE_SAMPLE_RATE_HZ = 16_000
"""Every engine hears 16 kHz mono: the rate that Moonshine, Whisper and Silero were trained on."""


def stream_ms(samples: int, sample_rate_hz: int) -> StreamMs:
    """Time of a sample, rounded down. Computed from the count each time, so it can't drift."""
    return StreamMs(samples * 1000 // sample_rate_hz)


def sample_count(duration_ms: int, sample_rate_hz: int) -> int:
    """Samples in a duration, rounded down."""
    return duration_ms * sample_rate_hz // 1000
