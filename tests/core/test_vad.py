"""SpeechTracker: hysteresis and what it keeps of a turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.units import StreamMs
from tympan.core.vad import HYSTERESIS, SpeechTracker

FRAME_MS = 32


def tracked(tracker: SpeechTracker, *probabilities: float, start_ms: int = 0) -> list[bool]:
    spans = [start_ms + index * FRAME_MS for index in range(len(probabilities))]
    return [
        tracker.receive_frame(probability, StreamMs(at), StreamMs(at + FRAME_MS))
        for probability, at in zip(probabilities, spans, strict=True)
    ]


def test_speech_opens_at_the_threshold() -> None:
    assert tracked(SpeechTracker(0.4), 0.399, 0.4) == [False, True]


def test_open_speech_lasts_down_to_the_threshold_less_the_hysteresis() -> None:
    floor = 0.5 - HYSTERESIS
    assert tracked(SpeechTracker(0.5), 0.5, floor, floor - 0.001, floor) == [True, True, False, False]


@pytest.mark.parametrize("threshold", [0.0, 0.1])
def test_a_frame_that_is_surely_silent_is_never_speech(threshold: float) -> None:
    assert tracked(SpeechTracker(threshold), 0.9, 0.009, 0.01)[1] is False


def test_a_threshold_of_one_needs_certainty() -> None:
    assert tracked(SpeechTracker(1.0), 0.999, 1.0) == [False, True]


shares = st.floats(0, 1)


@given(st.lists(shares, max_size=60), shares, shares)
def test_what_is_speech_at_a_threshold_is_speech_at_every_lower_one(
    probabilities: list[float], one: float, other: float
) -> None:
    low, high = (tracked(SpeechTracker(threshold), *probabilities) for threshold in sorted((one, other)))
    assert all(at_low or not at_high for at_low, at_high in zip(low, high, strict=True))


@given(st.lists(shares, max_size=60))
def test_at_zero_all_is_speech_but_what_is_surely_none(probabilities: list[float]) -> None:
    assert tracked(SpeechTracker(0.0), *probabilities) == [probability >= 0.01 for probability in probabilities]


@given(st.lists(st.floats(0, 1, exclude_max=True), max_size=60))
def test_at_one_nothing_is_speech_that_is_not_certain(probabilities: list[float]) -> None:
    assert not any(tracked(SpeechTracker(1.0), *probabilities))


@given(st.lists(shares, max_size=60), shares)
def test_a_frame_from_the_threshold_on_is_speech_whatever_was_before(before: list[float], threshold: float) -> None:
    tracker = SpeechTracker(threshold)
    tracked(tracker, *before)
    assert tracked(tracker, max(threshold, 0.01)) == [True]


def test_a_changed_threshold_acts_on_the_next_frame() -> None:
    tracker = SpeechTracker(0.9)
    assert tracked(tracker, 0.5) == [False]
    tracker.threshold = 0.5
    assert tracked(tracker, 0.5) == [True]


def test_nothing_is_kept_while_nothing_is_voiced() -> None:
    tracker = SpeechTracker(0.4)
    tracked(tracker, 0.1, 0.2)
    assert (tracker.is_speech, tracker.speech_ms, tracker.onset_ms, tracker.last_end_ms) == (
        False,
        0,
        None,
        None,
    )


def test_onset_end_and_voiced_time_are_those_of_the_speech_frames() -> None:
    tracker = SpeechTracker(0.4)
    tracked(tracker, 0.0, 0.9, 0.9, 0.0, 0.9, 0.0)
    assert (tracker.onset_ms, tracker.last_end_ms, tracker.speech_ms) == (32, 160, 96)
    assert not tracker.is_speech


def test_speech_that_goes_on_over_a_reset_opens_the_next_turn_at_once() -> None:
    tracker = SpeechTracker(0.5)
    tracked(tracker, 0.9)
    tracker.reset()
    assert tracker.speech_ms == 0
    assert tracked(tracker, 0.4, start_ms=32) == [True]  # the hysteresis goes on too
    assert tracker.onset_ms == 32
    assert tracker.speech_ms == 32
