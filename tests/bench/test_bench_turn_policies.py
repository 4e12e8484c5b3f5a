"""Silence timeouts against confidences."""

from __future__ import annotations

import pytest
from bench.sections.turns import same_turns
from bench.turn_metrics import TurnOutcome
from bench.turn_policies import duel, duels, is_beaten, mode_policy, silence_policy, threshold_policy, timeout_policy
from logs import conversation, says

from tympan.core.config import Finality, TurnConfig

TIMEOUT = timeout_policy(700)


def outcome(latency_ms: float = 500, *, found: int = 10, cuts: int = 0, between_words: int = 0) -> TurnOutcome:
    return TurnOutcome(10, (latency_ms,) * found, 10, cuts, 10, 0, 0, between_words)


def test_a_timeout_is_a_threshold_of_one_with_one_silence() -> None:
    assert TIMEOUT.config == TurnConfig(confidence_threshold=1, min_silence_ms=700, max_silence_ms=700)
    assert TIMEOUT.is_timeout
    assert not threshold_policy(0.8).is_timeout


def test_a_mode_of_the_u3_profile_is_a_policy_of_whole_turns() -> None:
    policy = mode_policy("min_latency")
    assert policy.name == "U3 min_latency"
    assert policy.config.finality is Finality.TURN
    assert policy.config.longest_silence_ms == 800


@pytest.mark.parametrize(
    ("confidence", "is_better"),
    [
        (outcome(cuts=2), True),
        (outcome(cuts=3), False),
        (outcome(cuts=2, between_words=1), False),
        (outcome(found=9, cuts=2), False),
    ],
)
def test_a_timeout_is_beaten_with_fewer_premature_ends_and_as_many_turns(
    confidence: TurnOutcome, is_better: bool
) -> None:
    assert is_beaten(outcome(cuts=3), confidence) is is_better


def test_a_timeout_that_cuts_nothing_is_beaten_by_one_that_cuts_nothing_either() -> None:
    assert is_beaten(outcome(), outcome())


def test_only_a_confidence_that_may_wait_shorter_and_longer_and_is_as_soon_is_compared() -> None:
    shorter, longer, later = (
        silence_policy(0.4, 300, 600),
        silence_policy(0.4, 800, 1500),
        silence_policy(0.4, 500, 1500),
    )
    outcomes = {TIMEOUT: outcome(750, cuts=5), shorter: outcome(), longer: outcome(), later: outcome(751)}
    fight = duel(TIMEOUT, outcomes, percents=(50,))
    assert (fight.confidence, fight.is_beaten) == (None, False)


def test_a_confidence_that_is_sooner_by_half_may_be_later_in_the_tail() -> None:
    confidence = threshold_policy(0.4)
    quick_then_slow = TurnOutcome(10, (400,) * 9 + (1300,), 10, 0, 10, 0, 0, 0)
    outcomes = {TIMEOUT: outcome(750, cuts=5), confidence: quick_then_slow}
    assert duel(TIMEOUT, outcomes, percents=(50,)).is_beaten
    assert duel(TIMEOUT, outcomes, percents=(50, 95)).confidence is None


def test_the_best_confidence_finds_as_many_turns_and_then_cuts_least() -> None:
    few, many, most = (silence_policy(0.4, ms, 1500) for ms in (300, 400, 500))
    outcomes = {
        TIMEOUT: outcome(750, cuts=5),
        few: outcome(found=9),
        many: outcome(cuts=2),
        most: outcome(cuts=3),
    }
    (fight,) = duels(outcomes, percents=(50,))
    assert (fight.confidence, fight.is_beaten) == (many, True)


def test_turns_are_the_same_word_by_word_with_their_times() -> None:
    log = conversation(says(1, "A b", ends=True), says(2, "c d", turn=1, ends=True))
    other = conversation(says(9, "a b.", ends=True), says(9, "c e", turn=1, ends=True), says(9, "f", turn=2, ends=True))
    assert same_turns(log, log) == (2, 2)
    assert same_turns(log, other) == (1, 3)
