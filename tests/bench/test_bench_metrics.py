"""Latencies, stillness and times of words, on hand-made logs."""

from __future__ import annotations

import math

from bench.metrics import (
    TimeError,
    final_words_in_order,
    percentile,
    share_percent,
    stillness,
    time_errors,
    word_timelines,
)
from logs import reference, says


def test_a_word_is_first_shown_by_any_message_and_final_by_a_final_one() -> None:
    turns = [says(600, "one*"), says(1600, "one two*"), says(2000, "one two", ends=True)]
    first, second = word_timelines(turns, reference("one two"))
    assert (first.first_shown_latency_ms, first.final_latency_ms) == (200, 1200)
    assert (second.first_shown_latency_ms, second.final_latency_ms) == (200, 600)


def test_a_word_is_stable_since_it_was_last_missing() -> None:
    turns = [says(600, "one*"), says(700, "won*"), says(800, "one*"), says(900, "one", ends=True)]
    (word,) = word_timelines(turns, reference("one"))
    assert word.first_shown_latency_ms == 200
    assert word.stable_latency_ms == 400


def test_words_are_paired_without_case_and_punctuation() -> None:
    turns = [says(600, "One,"), says(900, "One,", ends=True)]
    assert len(word_timelines(turns, reference("one"))) == 1


def test_a_wrong_word_has_no_timeline() -> None:
    turns = [says(900, "one three", ends=True)]
    assert [word.reference.text for word in word_timelines(turns, reference("one two"))] == ["one"]


def test_a_word_cannot_be_shown_before_it_begins() -> None:
    turns = [says(600, "the the*"), says(1700, "the the", ends=True)]
    _, second = word_timelines(turns, reference("the the"))
    assert second.first_shown_latency_ms == 300


def test_the_formatted_final_has_no_part_in_the_latency_of_words() -> None:
    turns = [says(600, "one", ends=True), says(700, "Won.", ends=True, formatted=True)]
    (word,) = word_timelines(turns, reference("one"))
    assert word.final_latency_ms == 200


def test_words_of_all_turns_are_paired_with_one_reference() -> None:
    turns = [says(600, "one", ends=True), says(1700, "two", turn=1, ends=True)]
    assert [w.final_latency_ms for w in word_timelines(turns, reference("one two"))] == [200, 300]


def test_errors_of_times_are_those_of_the_raw_final() -> None:
    errors = time_errors([says(1, "one", ends=True)], reference("one"))
    assert errors == [TimeError(start_ms=-20, end_ms=100)]


def test_final_words_that_stay_are_no_change() -> None:
    still = stillness([says(1, "one two*"), says(2, "one two", ends=True)])
    assert (still.final_words, still.final_changes) == (2, 0)


def test_a_final_word_that_reads_differently_later_is_a_change() -> None:
    assert stillness([says(1, "one two"), says(2, "one too", ends=True)]).final_changes == 1


def test_a_final_word_that_vanishes_is_a_change() -> None:
    assert stillness([says(1, "one two"), says(2, "one", ends=True)]).final_changes == 1


def test_a_final_word_that_becomes_tentative_again_is_a_change() -> None:
    assert stillness([says(1, "one"), says(2, "one*")]).final_changes == 1


def test_the_formatted_final_may_correct_words() -> None:
    turns = [says(1, "won", ends=True), says(2, "One.", ends=True, formatted=True)]
    assert stillness(turns).final_changes == 0


def test_turns_are_compared_only_with_themselves() -> None:
    assert stillness([says(1, "one", ends=True), says(2, "two", turn=1)]).final_changes == 0


def test_churn_is_the_share_of_tentative_words_that_the_next_message_changed() -> None:
    still = stillness([says(1, "one tw*"), says(2, "one two*"), says(3, "one two", ends=True)])
    assert (still.tentative_words, still.tentative_changes) == (2, 1)
    assert still.churn_percent == 50


def test_an_immutable_reader_keeps_each_word_as_it_first_became_final() -> None:
    turns = [says(1, "one two*"), says(2, "won two", ends=True), says(3, "three", turn=1, ends=True)]
    assert final_words_in_order(turns) == ["one", "two", "three"]


def test_percentiles_are_nearest_rank() -> None:
    assert percentile([3, 1, 2], 50) == 2
    assert percentile(range(1, 101), 95) == 95
    assert math.isnan(percentile([], 50))


def test_a_share_of_nothing_is_not_a_number() -> None:
    assert share_percent([True, False]) == 50
    assert math.isnan(share_percent([]))
