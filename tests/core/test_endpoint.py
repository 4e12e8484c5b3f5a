"""Endpoint rules and looks: each at its boundary."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.config import Finality, TurnConfig
from tympan.core.endpoint import (
    EARLIEST_LOOK_SILENCE_MS,
    MIN_SPEECH_MS,
    SOONEST_END_MS,
    endpointing_for,
    first_matching_rule,
)
from tympan.core.events import EndReason

CONFIDENT, SILENT = EndReason.CONFIDENT, EndReason.SILENT
WHOLE_TURNS = TurnConfig(0.4, 100, 1000, finality=Finality.TURN)


def ending(config: TurnConfig, silence_ms: int, confidence: float, *, speech_ms: int = 1000) -> EndReason | None:
    rule = first_matching_rule(
        endpointing_for(config).rules,
        silence_ms=silence_ms,
        confidence=confidence,
        speech_ms=speech_ms,
    )
    return None if rule is None else rule.reason


def looks_for(config: TurnConfig) -> tuple[int, ...]:
    return endpointing_for(config).looks_ms


@pytest.mark.parametrize(
    ("silence_ms", "confidence", "reason"),
    [
        (399, 1.0, None),
        (400, 1.0, CONFIDENT),
        (400, 0.4, None),  # it must exceed the threshold
        (400, 0.401, CONFIDENT),
        (1279, 0.4, None),
        (1280, 0.4, SILENT),
        (1280, 0.0, SILENT),
        (1280, 1.0, CONFIDENT),  # the first match names the reason
    ],
)
def test_the_defaults_end_a_turn_here(silence_ms: int, confidence: float, reason: EndReason | None) -> None:
    assert ending(TurnConfig(), silence_ms, confidence) is reason


@pytest.mark.parametrize(("silence_ms", "reason"), [(399, None), (400, CONFIDENT)])
def test_a_threshold_of_zero_needs_no_confidence(silence_ms: int, reason: EndReason | None) -> None:
    assert ending(TurnConfig(confidence_threshold=0), silence_ms, 0.0) is reason


@pytest.mark.parametrize(("silence_ms", "reason"), [(1279, None), (1280, SILENT)])
def test_a_threshold_of_one_waits_for_silence_alone(silence_ms: int, reason: EndReason | None) -> None:
    assert ending(TurnConfig(confidence_threshold=1), silence_ms, 1.0) is reason


@pytest.mark.parametrize(("silence_ms", "reason"), [(999, None), (1000, SILENT)])
def test_a_maximum_below_the_minimum_counts_as_the_minimum(silence_ms: int, reason: EndReason | None) -> None:
    config = TurnConfig(min_silence_ms=1000, max_silence_ms=500)
    assert ending(config, silence_ms, 0.0) is reason


@pytest.mark.parametrize(
    ("min_ms", "max_ms", "looks"),
    [
        (400, 1280, (400, 600)),
        (160, 399, (160,)),  # neither an utterance's pause nor time for a late look
        (160, 400, (160, 400)),
        (300, 1280, (300, 400, 600)),
        (600, 1280, (600,)),
        (800, 3600, (600, 800)),
        (400, 599, (400,)),
        (400, 600, (400, 600)),
        (1000, 500, (600, 1000)),
        (0, 1280, (100, 400, 600)),  # no look before there is a pause
    ],
)
def test_the_open_turn_is_looked_at_here(min_ms: int, max_ms: int, looks: tuple[int, ...]) -> None:
    assert looks_for(TurnConfig(min_silence_ms=min_ms, max_silence_ms=max_ms)) == looks


@given(
    threshold=st.floats(0, 1),
    min_ms=st.integers(0, 5000),
    max_ms=st.integers(1, 5000),
    confidence=st.floats(0, 1),
)
def test_the_longest_silence_ends_every_turn_and_more_silence_never_reopens_it(
    threshold: float, min_ms: int, max_ms: int, confidence: float
) -> None:
    config = TurnConfig(threshold, min_ms, max_ms)
    assert ending(config, config.longest_silence_ms, confidence) is not None
    if ending(config, min_ms, confidence) is not None:
        assert ending(config, min_ms + 1, confidence) is not None


@given(min_ms=st.integers(EARLIEST_LOOK_SILENCE_MS, 5000), max_ms=st.integers(1, 5000))
def test_a_look_comes_no_later_than_the_first_silence_that_may_end_a_turn(min_ms: int, max_ms: int) -> None:
    looks = looks_for(TurnConfig(min_silence_ms=min_ms, max_silence_ms=max_ms))
    assert looks[0] <= min_ms
    assert min_ms in looks


@pytest.mark.parametrize(("speech_ms", "reason"), [(MIN_SPEECH_MS - 1, None), (MIN_SPEECH_MS, CONFIDENT)])
def test_word_by_word_a_turn_needs_some_speech(speech_ms: int, reason: EndReason | None) -> None:
    assert ending(TurnConfig(), 400, 1.0, speech_ms=speech_ms) is reason


@pytest.mark.parametrize(("silence_ms", "reason"), [(399, None), (400, CONFIDENT)])
def test_a_whole_turn_waits_for_the_sessions_silence_where_that_is_longer(
    silence_ms: int, reason: EndReason | None
) -> None:
    assert ending(replace(WHOLE_TURNS, min_silence_ms=400), silence_ms, 1.0) is reason


@pytest.mark.parametrize(
    ("silence_ms", "confidence", "reason"),
    [
        (299, 1.0, None),
        (300, 1.0, CONFIDENT),
        (300, 0.4, None),
        (300, 0.401, CONFIDENT),
        (999, 0.4, None),
        (1000, 0.0, SILENT),
    ],
)
def test_a_whole_turn_ends_by_confidence_or_the_longest_silence(
    silence_ms: int, confidence: float, reason: EndReason | None
) -> None:
    assert ending(WHOLE_TURNS, silence_ms, confidence, speech_ms=1) is reason


@pytest.mark.parametrize(
    ("min_ms", "max_ms", "looks"),
    [
        (100, 1000, (100, 300, 450, 600)),
        (100, 100, (100, 300)),  # no silence ends it sooner than 300 ms
        (99, 1000, (100, 300, 450, 600)),
        (50, 60, (100, 300)),
        (100, 299, (100, 300)),
        (100, 300, (100, 300)),
        (300, 449, (300,)),
        (310, 450, (310, 450)),
        (400, 1600, (400, 450, 600)),
        (600, 1600, (600,)),
        (800, 1600, (800,)),
    ],
)
def test_an_open_whole_turn_is_looked_at_here(min_ms: int, max_ms: int, looks: tuple[int, ...]) -> None:
    config = TurnConfig(0.4, min_ms, max_ms, finality=Finality.TURN)
    assert looks_for(config) == looks


@given(min_ms=st.integers(0, 5000), max_ms=st.integers(1, 5000))
def test_a_whole_turn_is_looked_at_before_the_longest_silence_is_over(min_ms: int, max_ms: int) -> None:
    config = TurnConfig(0.4, min_ms, max_ms, finality=Finality.TURN)
    assert looks_for(config)
    assert all(ms <= max(config.longest_silence_ms, SOONEST_END_MS) for ms in looks_for(config))
