"""The score of a word and how long it has been stable."""

from __future__ import annotations

import math

import pytest
from decodes import decode, heard, word, words

from tympan.engines.moonshine.commit_score import ScoreWeights, find_again, score, stable_ms

WEIGHTS = ScoreWeights()


def test_the_score_is_the_weighted_sum_of_the_documented_features() -> None:
    spoken = [
        word("the", 0, log_prob=-0.1),
        word("cat", 250, log_prob=-0.2, margin=1.5),
        word("sat", 500, log_prob=-0.4),
    ]
    now, before = decode(spoken, 1500), decode(spoken, 1000)
    expected = (
        WEIGHTS.bias
        + WEIGHTS.log_prob * -0.2
        + WEIGHTS.log_margin * math.log(1.52)
        + WEIGHTS.previous_log_prob * -0.1
        + WEIGHTS.next_log_prob * -0.4
        + WEIGHTS.stable_per_s * 0.5
    )
    assert score(WEIGHTS, now, 1, [before]) == pytest.approx(expected)


def test_a_missing_neighbour_counts_as_certain_before_and_as_doubtful_after() -> None:
    alone = decode([word("yes", 0, log_prob=0.0, margin=0.98)], 1000)
    assert score(WEIGHTS, alone, 0, []) == pytest.approx(WEIGHTS.bias - WEIGHTS.next_log_prob)


@pytest.mark.parametrize(("one", "other"), [((-3.0, 6.0), (-9.0, 6.0)), ((-1.0, 6.0), (-1.0, 20.0))])
def test_log_probs_and_margins_count_up_to_a_bound(one: tuple[float, float], other: tuple[float, float]) -> None:
    first, second = (decode([word("yes", 0, log_prob=p, margin=m)], 1000) for p, m in (one, other))
    assert score(WEIGHTS, first, 0, []) == score(WEIGHTS, second, 0, [])


def test_a_margin_of_nothing_has_a_finite_score() -> None:
    assert math.isfinite(score(WEIGHTS, decode([word("yes", 0, margin=0.0)], 1000), 0, []))


def test_a_new_word_is_not_stable_at_all() -> None:
    assert stable_ms(heard("the cat sat", 1500), 2, [heard("the cat", 1250)]) == 0


def test_a_word_is_stable_since_it_was_first_found_without_a_break() -> None:
    history = [heard("the cat", 750), heard("the cap", 1000), heard("the cat", 1250)]
    assert stable_ms(heard("the cat sat", 1500), 1, history) == 250


def test_stability_counts_up_to_a_second() -> None:
    history = [heard("the cat", until) for until in (750, 1000, 1250, 1500, 1750)]
    assert stable_ms(heard("the cat sat", 2000), 1, history) == 1000


@pytest.mark.parametrize(("moved_ms", "index"), [(300, 1), (301, None)])
def test_a_word_is_found_again_near_its_time_only(moved_ms: int, index: int | None) -> None:
    assert find_again(words("a b"), 1, [word("a", 0), word("b", 250 + moved_ms)]) == index


@pytest.mark.parametrize(("moved_ms", "index"), [(150, 1), (151, None)])
def test_another_left_neighbour_must_stand_at_the_same_time(moved_ms: int, index: int | None) -> None:
    assert find_again([word("a", 0), word("b", 400)], 1, [word("x", moved_ms), word("b", 400)]) == index


def test_a_first_word_is_not_found_again_further_in() -> None:
    assert find_again([word("b", 300)], 0, [word("a", 0), word("b", 300)]) is None


@pytest.mark.parametrize(("shift", "index"), [(6, 7), (7, None)])
def test_a_word_is_searched_up_to_six_places_away(shift: int, index: int | None) -> None:
    now = [word("a", 0), word("b", 20)]
    earlier = [*(word("x", n) for n in range(shift)), word("a", 0), word("b", 20)]
    assert find_again(now, 1, earlier) == index
