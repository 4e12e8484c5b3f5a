"""The pure parts of the sections, and of the peer's adapter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench.messages import ShownWord
from bench.peers import peer_turns
from bench.sections.false_text import looped, shown_words
from bench.sections.longevity import marker_drift_ms, wall_per_audio_minute_s, words_after
from bench.sections.memory import slope
from logs import conversation, says


def test_false_words_are_the_most_that_a_turn_ever_showed() -> None:
    log = conversation(says(1, "you*"), says(2, ""), says(3, "thank you", turn=1, ends=True))
    assert shown_words(log) == 3


def test_a_loop_lasts_as_long_as_asked() -> None:
    assert looped(np.arange(10, dtype=np.int16), 1).tolist() == [*range(10), *range(6)]


def test_drift_is_the_largest_difference_after_the_shift() -> None:
    early = [ShownWord("a", 100, 200, True), ShownWord("b", 300, 400, True)]
    late = [ShownWord("a", 1100, 1200, True), ShownWord("b", 1303, 1400, True)]
    assert marker_drift_ms(early, late, 1000) == 3


def test_drift_of_other_words_is_not_a_number() -> None:
    assert math.isnan(marker_drift_ms([ShownWord("a", 0, 1, True)], [ShownWord("b", 0, 1, True)], 0))
    assert math.isnan(marker_drift_ms([], [], 0))


def test_words_after_a_time_are_those_of_raw_finals() -> None:
    log = conversation(says(1, "a b*"), says(2, "a b", ends=True), says(3, "A b.", ends=True, formatted=True))
    assert [word.text for word in words_after(log, 1000)] == ["b"]


def test_time_per_minute_is_between_the_first_words_of_minutes() -> None:
    log = conversation(
        *(says(at, " ".join(["x"] * words)) for at, words in [(0, 1), (2000, 60), (5000, 61), (9000, 121)])
    )
    assert wall_per_audio_minute_s(log) == [5.0, 4.0]


def test_memory_per_session_is_a_slope() -> None:
    assert slope([1, 5, 10], [102, 110, 120]) == pytest.approx(2)


def test_a_peers_line_is_a_turn_that_ends_once() -> None:
    def event(at_ms: float, text: str, *, is_complete: bool, line: int = 7) -> dict[str, object]:
        return {
            "at_ms": at_ms,
            "line": line,
            "text": text,
            "is_complete": is_complete,
            "start_ms": 0,
            "end_ms": 1,
        }

    turns = peer_turns(
        [
            event(1, "Hello", is_complete=False),
            event(2, "Hello there.", is_complete=True),
            event(2.1, "Hello there.", is_complete=True),
            event(3, "Bye", is_complete=False, line=9),
        ]
    )
    assert [(t.turn_order, t.end_of_turn, t.transcript) for t in turns] == [
        (0, False, "Hello"),
        (0, True, "Hello there."),
        (1, False, "Bye"),
    ]
    assert [word.is_final for word in turns[1].words] == [True, True]
