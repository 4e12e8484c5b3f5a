"""Traces keep what was decoded, and a replay times words as the engine would have published them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.policy_sweep import Row, interval, judge, rules, summarise, table
from bench.scoring import WordErrors
from bench.traces import ReferenceWord, Trace, Update, read_traces, write_traces

from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.policy import CommitRule

TEXT = ("The", "cat", "sat")
HALF_A_SECOND = Row("half a second", rules(CommitRule(500)), flush_at_ms=400)


def decode(count: int, until_ms: int) -> Decode:
    """The first words of the text, one every 400 ms from 200 ms on."""
    words = tuple(
        DecodedWord(text, text.lower(), at, at + 100, at + 300, -0.1, 3.0, False, (place,))
        for place, (text, at) in enumerate(zip(TEXT[:count], (200, 600, 1000), strict=False))
    )
    return Decode(0, until_ms, words, has_ended=False, was_cut=False)


TRACE = Trace(
    clip_id="cat",
    source="made up",
    style="read",
    text="The cat sat.",
    words=tuple(ReferenceWord(text, at, at + 300) for text, at in zip(TEXT, (200, 600, 1000), strict=True)),
    updates=(
        Update(True, 0, decode(2, 800)),
        Update(True, 0, decode(3, 1300)),
        Update(False, 400, decode(3, 1700)),
        Update(True, 500, decode(3, 1800)),
    ),
)


def test_traces_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    write_traces(path, [TRACE, replace(TRACE, clip_id="again", words=())])
    assert list(read_traces(path)) == [TRACE, replace(TRACE, clip_id="again", words=())]


def test_words_are_final_by_rule_in_speech_and_by_flush_in_a_pause() -> None:
    outcome = judge(TRACE, HALF_A_SECOND)
    assert outcome.final_ms == (1300 - 500, 1300 - 900, 1700 - 1300)
    assert outcome.errors == WordErrors(0, 3)


def test_words_are_shown_before_they_are_final() -> None:
    outcome = judge(TRACE, HALF_A_SECOND)
    assert outcome.shown_ms == (300, -100, 0)
    assert outcome.shown_first_only_ms == (300, 400, 0)
    assert outcome.erased_words == 0


def test_without_rules_and_pauses_everything_is_final_at_the_end() -> None:
    assert judge(TRACE, Row("end", rules(), flush_at_ms=10_000)).final_ms == (1300, 900, 500)


def test_a_policy_does_not_differ_from_itself() -> None:
    outcomes = [judge(TRACE, HALF_A_SECOND)] * 3
    result = summarise(HALF_A_SECOND, outcomes, outcomes)
    assert (result.difference, result.difference_low, result.difference_high) == (0, 0, 0)
    assert "| half a second | 0.00 | +0.00 |" in table([result])


def test_the_interval_holds_most_of_the_resampled_values() -> None:
    good, bad = (replace(judge(TRACE, HALF_A_SECOND), errors=WordErrors(errors, 10)) for errors in (0, 5))
    low, high = interval([(good, good)] * 10 + [(bad, good)] * 10, lambda some: len({a.errors for a, _ in some}))
    assert 1 <= low <= high == 2
