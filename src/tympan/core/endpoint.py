"""Endpoint rules as rows, and when to look. PURE: standard library only.

Source: protocol reference, section 5.3. The US profile's rows are those of `Finality.WORDS`, the U3 profile's
those of `Finality.TURN`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tympan.core.config import Finality, TurnConfig
from tympan.core.events import EndReason

MIN_SPEECH_MS = 80
"""Under `Finality.WORDS` a turn with less voiced audio never ends by silence (protocol reference, 5.3)."""

EARLIEST_LOOK_SILENCE_MS = 100
"""Less silence than this is part of speech; a look would cost a decode at every closed consonant."""

MIDDLE_LOOK_SILENCE_MS = 400
"""Where a first look came earlier, another one that hears what a second model made of the pause."""

LATE_LOOK_SILENCE_MS = 600
"""The score rises with silence, so a turn that seemed open is looked at once more."""

SOONEST_END_MS = 300
"""Under `Finality.TURN` no turn ends by silence sooner, however short the configured silences are. Ends by score
between words in 681 s of recorded conversations: 10 at 100 ms, 5 at 200 ms, 1 at 300 ms. Voice agents ask for 100 ms
and force the end after 200 ms on their own detection; a final that comes before isn't the answer that they wait for."""

LATER_LOOKS_MS = (SOONEST_END_MS, 450, LATE_LOOK_SILENCE_MS)
"""Under `Finality.TURN` a turn that goes on after the first look is looked at here again."""

ANY_CONFIDENCE = -1.0
"""Every confidence exceeds it."""


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """A turn is over when the silence lasts, the confidence exceeds `above_confidence` and enough was voiced."""

    reason: EndReason
    min_silence_ms: int
    above_confidence: float = ANY_CONFIDENCE
    min_speech_ms: int = MIN_SPEECH_MS


@dataclass(frozen=True, slots=True)
class Endpointing:
    """When turns end: the first of the rules that matches decides. Looks are silences (ms, ascending) at which
    the open turn is decoded and scored; those before `scored_from_ms`, where no score would end it, only hear it out.
    `longest_silence_ms` always ends it."""

    rules: tuple[EndpointRule, ...]
    looks_ms: tuple[int, ...]
    scored_from_ms: int
    longest_silence_ms: int


def endpointing_for(config: TurnConfig) -> Endpointing:
    """The rows of a configuration."""
    return _ENDPOINTINGS[config.finality](config)


def first_matching_rule(
    rules: tuple[EndpointRule, ...], *, silence_ms: int, confidence: float, speech_ms: int
) -> EndpointRule | None:
    """The rule that ends the turn now, if any."""
    for rule in rules:
        if silence_ms >= rule.min_silence_ms and confidence > rule.above_confidence and speech_ms >= rule.min_speech_ms:
            return rule
    return None


def _word_by_word(config: TurnConfig) -> Endpointing:
    threshold = config.confidence_threshold
    confident = EndpointRule(EndReason.CONFIDENT, config.min_silence_ms, threshold if threshold > 0 else ANY_CONFIDENCE)
    silent = EndpointRule(EndReason.SILENT, config.longest_silence_ms)
    first_ms = max(EARLIEST_LOOK_SILENCE_MS, config.min_silence_ms)
    looks_ms = {first_ms, LATE_LOOK_SILENCE_MS, max(first_ms, MIDDLE_LOOK_SILENCE_MS)}
    return Endpointing(
        rules=(silent,) if threshold >= 1 else (confident, silent),
        looks_ms=tuple(sorted(ms for ms in looks_ms if ms <= config.longest_silence_ms)),
        scored_from_ms=MIDDLE_LOOK_SILENCE_MS if threshold >= 1 else 0,
        longest_silence_ms=config.longest_silence_ms,
    )


def _whole_turns(config: TurnConfig) -> Endpointing:
    # Closing punctuation, which the protocol names, is no condition: models put it behind most texts that are cut
    # off. The score is what that look is for. (Both together cut as few pauses and end 0.4 s later at p95.)
    confident_ms = max(config.min_silence_ms, SOONEST_END_MS)
    confident = EndpointRule(EndReason.CONFIDENT, confident_ms, config.confidence_threshold, min_speech_ms=0)
    longest_ms = max(config.longest_silence_ms, SOONEST_END_MS)
    silent = EndpointRule(EndReason.SILENT, longest_ms, min_speech_ms=0)
    first_ms = min(max(EARLIEST_LOOK_SILENCE_MS, config.min_silence_ms), longest_ms)
    return Endpointing(
        rules=(confident, silent),
        looks_ms=(first_ms, *(ms for ms in LATER_LOOKS_MS if first_ms < ms <= longest_ms)),
        scored_from_ms=confident_ms,
        longest_silence_ms=longest_ms,
    )


_ENDPOINTINGS: dict[Finality, Callable[[TurnConfig], Endpointing]] = {
    Finality.WORDS: _word_by_word,
    Finality.TURN: _whole_turns,
}
