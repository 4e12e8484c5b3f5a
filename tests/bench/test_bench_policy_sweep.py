"""A recorder keeps what a policy is given, and a replay times words as the engine would have published them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench.dataset import Utterance
from bench.metrics import ReferenceWord
from bench.policy_sweep import DEFAULT, ROWS, Row, interval, judge, measures, replayed
from bench.scoring import WordErrors
from bench.traces import FinalWord, Flushed, Received, RecordingPolicy, Trace, Trimmed, TurnTrace, told_final_words

from tympan.core.events import EndReason, TurnEnded, TurnUpdated
from tympan.core.listening import Heard
from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.policy import CommitRule, PolicyConfig, ScoredAgreement

TEXT = ("The", "cat", "sat")
STARTS_MS = (200, 600, 1000)
HALF_A_SECOND = Row(PolicyConfig((CommitRule(500),)))
NO_RULE = PolicyConfig(())


def decode(count: int, until_ms: int) -> Decode:
    """The first words of the text, one every 400 ms from 200 ms on."""
    words = tuple(
        DecodedWord(text, text.lower(), at, at + 100, at + 300, -0.1, 3.0, False, (place,))
        for place, (text, at) in enumerate(zip(TEXT[:count], STARTS_MS, strict=False))
    )
    return Decode(0, until_ms, words, has_ended=False, was_cut=False)


TURN = TurnTrace(
    (Received(decode(2, 800)), Received(decode(3, 1300)), Flushed(decode(3, 1700)), Flushed(decode(3, 1900))), 2500
)
UTTERANCE = Utterance(
    id="cat",
    path=Path("cat.flac"),
    text="The cat sat.",
    style="read",
    duration_ms=2000,
    words=tuple(ReferenceWord(text, at, at + 300) for text, at in zip(TEXT, STARTS_MS, strict=True)),
    speech_end_ms=1300,
)
TRACE = Trace(UTTERANCE, (TURN,), ())


def test_words_are_final_by_rule_in_speech_and_by_flush_in_a_pause() -> None:
    outcome = judge(TRACE, HALF_A_SECOND)
    assert outcome.final_ms == (1300 - 500, 1300 - 900, 1700 - 1300)
    assert outcome.errors == WordErrors(0, 3)


def test_words_are_shown_before_they_are_final() -> None:
    assert judge(TRACE, HALF_A_SECOND).shown_ms == (300, -100, 0)


def test_without_rules_and_flushes_everything_is_final_when_the_turn_ends() -> None:
    assert judge(TRACE, Row(NO_RULE, flushes_pauses=False)).final_ms == (2000, 1600, 1200)


def test_words_of_a_turn_that_was_a_noise_are_not_told() -> None:
    noise = replace(TURN, is_told=False)
    replay = replayed(replace(TRACE, turns=(noise, TURN)), HALF_A_SECOND)
    assert [word.text for word in replay.finals] == list(TEXT)
    assert len(replay.shown_ms) == 3


def test_a_slower_policy_keeps_the_words_that_a_trim_leaves_behind() -> None:
    later = replace(decode(3, 1700), window_start_ms=580, words=decode(3, 1700).words[1:])
    turn = TurnTrace((Received(decode(3, 1300)), Trimmed(580, 500), Flushed(later)), 2000)
    replay = replayed(replace(TRACE, turns=(turn,)), Row(NO_RULE))
    assert [(word.text, word.at_ms) for word in replay.finals] == [("The", 1300), ("cat", 1700), ("sat", 1700)]


def test_a_trim_makes_no_word_final_that_the_engine_had_not() -> None:
    turn = TurnTrace((Received(decode(3, 1300)), Trimmed(580, 0)), 2000)
    assert replayed(replace(TRACE, turns=(turn,)), Row(NO_RULE)).finals == []


@pytest.mark.parametrize("name", ROWS)
def test_each_row_hears_an_easy_text_without_errors(name: str) -> None:
    assert judge(TRACE, ROWS[name]).errors == WordErrors(0, 3)


def test_a_recorder_gives_what_its_policy_gives_and_keeps_what_it_was_given() -> None:
    policy, recorder = ScoredAgreement(), RecordingPolicy(ScoredAgreement())
    for either in (policy, recorder):
        either.receive(decode(2, 800))
        either.flush(decode(2, 1300))
        either.trim(580)
    assert (recorder.final, recorder.tentative) == (policy.final, policy.tentative)
    recorder.reset()
    assert recorder.final == ()
    assert recorder.take_closed() == [(Received(decode(2, 800)), Flushed(decode(2, 1300)), Trimmed(580, 900))]
    assert recorder.take_closed() == []


def test_a_replay_of_what_was_recorded_is_what_the_policy_did() -> None:
    recorder = RecordingPolicy(ScoredAgreement())
    finals: list[str] = []
    for until_ms, count in ((800, 2), (1056, 3), (1312, 3), (1568, 3)):
        finals += [word.text for word in recorder.receive(decode(count, until_ms))]
    finals += [word.text for word in recorder.flush(decode(3, 1800))]
    recorder.reset()
    turns = tuple(TurnTrace(steps, 2000) for steps in recorder.take_closed())
    assert [word.text for word in replayed(replace(TRACE, turns=turns), ROWS[DEFAULT]).finals] == finals


def test_a_word_is_told_as_final_once_a_turn() -> None:
    a, b = (Word(text, StreamMs(at), StreamMs(at + 100), 1.0) for text, at in (("a", 0), ("b", 200)))
    session = [
        Heard(StreamMs(300), (TurnUpdated(0, (a, b), 1, 0.0),)),
        Heard(StreamMs(600), (TurnUpdated(0, (a, b), 2, 0.0),)),
        Heard(StreamMs(900), (TurnEnded(0, (a, b), (), 0.5, EndReason.CONFIDENT),)),
        Heard(StreamMs(1200), (TurnEnded(1, (b,), (), 0.5, EndReason.CONFIDENT),)),
    ]
    told = [FinalWord("a", 0, 100, 300), FinalWord("b", 200, 300, 600), FinalWord("b", 200, 300, 1200)]
    assert list(told_final_words(session)) == told


def test_a_policy_does_not_differ_from_itself() -> None:
    outcomes = [judge(TRACE, HALF_A_SECOND)] * 3
    values = {name: value for name, value, _ in measures(outcomes, outcomes)}
    assert [values[name] for name in values if name.startswith("to the default")] == [0, 0, 0]
    assert (values["immutable words"], values["word final p50"]) == (0, 400)


def test_an_interval_holds_the_difference_and_has_no_width_where_all_agree() -> None:
    good, bad = WordErrors(0, 10), WordErrors(5, 10)
    low, high = interval([good] * 10 + [bad] * 10, [good] * 20)
    assert 10 < low < 25 < high < 40
    assert interval([bad] * 20, [good] * 20) == (50, 50)
