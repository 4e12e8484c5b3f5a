"""The end-of-turn score: what raises it, what lowers it, and that its bounds hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.engines.turn_score import (
    LOWEST_LOG_PROB,
    LOWEST_PROBABILITY,
    LogisticScore,
    ScoreWeights,
    TurnFeatures,
)

DEFAULT_THRESHOLD = 0.4
score = LogisticScore()

complete = TurnFeatures(word_count=6, last_word_key="table", last_word_log_prob=-0.1, p_end=0.97, smart_turn=None)
probabilities = st.floats(0, 1)
features = st.builds(
    TurnFeatures,
    word_count=st.integers(1, 50),
    last_word_key=st.sampled_from(["table", "the", "of", "yes"]),
    last_word_log_prob=st.floats(-50, 0),
    p_end=probabilities,
    smart_turn=st.none() | probabilities,
)


def test_a_complete_sentence_passes_the_default_threshold() -> None:
    assert score.confidence(complete) > DEFAULT_THRESHOLD


def test_a_sentence_that_goes_on_does_not() -> None:
    assert score.confidence(replace(complete, p_end=0.6)) < DEFAULT_THRESHOLD


def test_a_function_word_at_the_end_speaks_against_it() -> None:
    assert score.confidence(replace(complete, last_word_key="the")) < DEFAULT_THRESHOLD


def test_without_words_no_turn_is_over() -> None:
    assert score.confidence(replace(complete, word_count=0)) == 0


def test_the_second_model_is_heard_when_it_was_asked() -> None:
    doubted = score.confidence(replace(complete, smart_turn=0.02))
    confirmed = score.confidence(replace(complete, smart_turn=0.98))
    assert doubted < DEFAULT_THRESHOLD < confirmed


def test_the_numbers_are_those_of_the_row() -> None:
    row = ScoreWeights(p_end=1, smart_turn=0, function_word=0, last_word_log_prob=0, bias=0)
    plain = LogisticScore(without_smart_turn=row)
    assert plain.confidence(replace(complete, p_end=0.73)) == pytest.approx(0.73)


@given(features, probabilities)
def test_a_likelier_end_never_lowers_the_confidence(known: TurnFeatures, other: float) -> None:
    low, high = sorted((known.p_end, other))
    assert score.confidence(replace(known, p_end=low)) <= score.confidence(replace(known, p_end=high))


@given(features)
def test_the_confidence_lies_between_0_and_1(known: TurnFeatures) -> None:
    assert 0 < score.confidence(known) < 1


@given(features)
def test_what_is_beyond_the_clipping_counts_as_the_clipping(known: TurnFeatures) -> None:
    extreme = replace(known, p_end=1.0, last_word_log_prob=-60.0)
    clipped = replace(known, p_end=1 - LOWEST_PROBABILITY, last_word_log_prob=LOWEST_LOG_PROB)
    assert score.confidence(extreme) == score.confidence(clipped)
