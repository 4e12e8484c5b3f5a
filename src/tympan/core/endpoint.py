"""Endpoint rules as rows, and when to look. PURE: standard library only.

Source: protocol reference, section 5.3 (US profile).
"""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.config import TurnConfig
from tympan.core.events import EndReason

MIN_SPEECH_MS = 80
"""A turn with less voiced audio never ends by silence (protocol reference, 5.3)."""

MIDDLE_LOOK_SILENCE_MS = 400
"""Where a first look came earlier, another one that hears what a second model made of the pause."""

LATE_LOOK_SILENCE_MS = 600
"""The score rises with silence, so a turn that seemed open is looked at once more."""


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """A turn is over when the silence lasts and the confidence exceeds `above_confidence`."""

    reason: EndReason
    min_silence_ms: int
    above_confidence: float


def rules_for(config: TurnConfig) -> tuple[EndpointRule, ...]:
    """The rules of a configuration, the first match decides."""
    threshold = config.confidence_threshold
    confident = EndpointRule(EndReason.CONFIDENT, config.min_silence_ms, threshold if threshold > 0 else -1.0)
    silent = EndpointRule(EndReason.SILENT, config.longest_silence_ms, -1.0)
    return (silent,) if threshold >= 1 else (confident, silent)


def first_matching_rule(rules: tuple[EndpointRule, ...], *, silence_ms: int, confidence: float) -> EndpointRule | None:
    """The rule that ends the turn now, if any."""
    for rule in rules:
        if silence_ms >= rule.min_silence_ms and confidence > rule.above_confidence:
            return rule
    return None


EARLIEST_LOOK_SILENCE_MS = 100
"""Less silence than this is part of speech; a look would cost a decode at every closed consonant."""


def looks_for(config: TurnConfig) -> tuple[int, ...]:
    """Silences (ms, ascending) at which the open turn is decoded and scored."""
    first = max(EARLIEST_LOOK_SILENCE_MS, config.min_silence_ms)
    wanted = {first, LATE_LOOK_SILENCE_MS, max(first, MIDDLE_LOOK_SILENCE_MS)}
    return tuple(sorted(ms for ms in wanted if ms <= config.longest_silence_ms))
