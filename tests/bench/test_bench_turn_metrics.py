"""Which silence an end of turn belongs to."""

from __future__ import annotations

from bench.messages import SentControl, TurnMessage
from bench.metrics import ReferenceWord
from bench.turn_metrics import (
    Pause,
    ReferenceTurn,
    TurnOutcome,
    force_latencies_ms,
    formatting_latencies_ms,
    judge_turns,
)
from logs import conversation, says

WORDS = (
    ReferenceWord("a", 0, 1000),
    ReferenceWord("b", 1600, 3000),
    ReferenceWord("c", 3500, 5000),
    ReferenceWord("d", 5900, 7000),
    ReferenceWord("e", 7050, 8000),
)
PAUSES = (Pause(1000, 1600, True), Pause(3000, 3500, False), Pause(5000, 5900, False))
TURNS = (
    ReferenceTurn(0, 8000, "a b c d e", WORDS, True, PAUSES),
    ReferenceTurn(9000, 9500, "f", (ReferenceWord("f", 9000, 9500),)),
)


def outcome_of(*ends_at_ms: float, controls: tuple[SentControl, ...] = ()) -> TurnOutcome:
    ends = [says(at, "x", turn=i, ends=True) for i, at in enumerate(ends_at_ms)]
    return judge_turns(conversation(*ends, controls=controls), TURNS)


def test_an_end_after_a_true_turn_finds_it() -> None:
    outcome = outcome_of(8400, 10_000)
    assert (outcome.turns, outcome.latencies_ms) == (2, (400, 500))
    assert (outcome.cuts, outcome.long_pause_cuts, outcome.word_gap_cuts) == (0, 0, 0)


def test_an_end_that_comes_just_after_the_next_turn_began_still_belongs_to_the_silence() -> None:
    assert outcome_of(9050).latencies_ms == (1050,)


def test_an_end_deep_in_the_next_speech_belongs_to_no_silence() -> None:
    outcome = outcome_of(9501)
    assert (outcome.latencies_ms, outcome.word_gap_cuts) == ((), 1)


def test_an_end_in_a_hesitation_cuts_it() -> None:
    outcome = outcome_of(1400)
    assert (outcome.hesitation_cuts, outcome.hesitations) == (1, 1)


def test_an_end_in_a_short_natural_pause_is_premature() -> None:
    outcome = outcome_of(3400)
    assert (outcome.pause_cuts, outcome.pauses) == (1, 1)


def test_an_end_in_a_long_natural_pause_is_counted_apart() -> None:
    outcome = outcome_of(5800)
    assert (outcome.long_pause_cuts, outcome.cuts) == (1, 0)


def test_an_end_where_there_is_hardly_a_gap_is_an_end_between_words() -> None:
    assert outcome_of(7500).word_gap_cuts == 1


def test_a_second_end_in_the_same_silence_counts_once() -> None:
    assert outcome_of(8400, 8700).latencies_ms == (400,)


def test_an_end_that_only_terminate_brought_finds_nothing() -> None:
    assert outcome_of(10_000, controls=(SentControl(9_900, "Terminate"),)).latencies_ms == ()


def test_turns_that_stop_in_mid_sentence_are_not_judged() -> None:
    cut = ReferenceTurn(0, 1000, "a", WORDS[:1], ends_sentence=False)
    outcome = judge_turns(conversation(says(1500, "a", ends=True)), [cut])
    assert (outcome.turns, outcome.latencies_ms) == (0, ())


def test_outcomes_of_recordings_add_up() -> None:
    both = outcome_of(8400) + outcome_of(1400)
    assert (both.turns, both.latencies_ms, both.hesitation_cuts, both.inner_pauses) == (4, (400,), 1, 4)


def test_formatting_latency_counts_from_the_raw_final() -> None:
    turns: list[TurnMessage] = [
        says(100, "a", ends=True),
        says(130, "A.", ends=True, formatted=True),
        says(500, "b", turn=1, ends=True),
    ]
    assert formatting_latencies_ms(turns) == [30]


def test_a_force_is_answered_by_the_first_final_after_it() -> None:
    log = conversation(
        says(1050, "a", ends=True),
        says(1060, "A.", ends=True, formatted=True),
        controls=(SentControl(1000, "ForceEndpoint"), SentControl(5000, "ForceEndpoint")),
    )
    assert force_latencies_ms(log) == [50]
