"""Silences are told in stretches of about a second, on the audio's clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tympan.core.events import SilencePassed
from tympan.core.silence import STRETCH_MS, SilenceWatch
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report


def report(now_ms: int, *, speech_end_ms: int | None = None) -> Report:
    end_ms = None if speech_end_ms is None else StreamMs(speech_end_ms)
    return Report(StreamMs(now_ms), 0, end_ms, end_ms, end_ms == now_ms, Hypothesis(), 0.0)


def told(watch: SilenceWatch, *reports: Report) -> list[tuple[int, int]]:
    return [(passed.start_ms, passed.end_ms) for each in reports for passed in watch.receive_report(each)]


def test_a_second_of_silence_is_told_and_not_a_millisecond_less() -> None:
    watch = SilenceWatch(is_on=True)
    assert told(watch, report(STRETCH_MS - 1)) == []
    assert told(watch, report(STRETCH_MS)) == [(0, STRETCH_MS)]


def test_one_silence_is_told_without_gaps() -> None:
    reports = [report(now_ms) for now_ms in range(32, 3200, 32)]
    assert told(SilenceWatch(is_on=True), *reports) == [(0, 1024), (1024, 2048), (2048, 3072)]


def test_a_silence_begins_where_speech_ended() -> None:
    watch = SilenceWatch(is_on=True)
    speaking = [report(now_ms, speech_end_ms=now_ms) for now_ms in range(100, 5000, 100)]
    assert told(watch, *speaking) == []
    assert told(watch, report(5899, speech_end_ms=4900), report(5900, speech_end_ms=4900)) == [(4900, 5900)]


def test_the_end_of_a_turn_interrupts_no_silence() -> None:
    watch = SilenceWatch(is_on=True)
    told(watch, report(500, speech_end_ms=500))
    assert told(watch, report(1400, speech_end_ms=500), report(1600), report(2700)) == [(500, 1600), (1600, 2700)]


def test_a_watch_that_is_turned_on_in_a_silence_tells_its_next_stretch() -> None:
    watch = SilenceWatch(is_on=False)
    assert watch.receive_report(report(1000)) == []
    watch.is_on = True
    assert watch.receive_report(report(2000)) == [SilencePassed(StreamMs(1000), StreamMs(2000))]


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=80))
def test_stretches_are_long_enough_in_order_and_hold_no_speech(pieces: list[tuple[int, bool]]) -> None:
    watch, now_ms, speech_end_ms, end_ms = SilenceWatch(is_on=True), 0, None, 0
    for duration_ms, is_speech in pieces:
        now_ms += duration_ms
        speech_end_ms = now_ms if is_speech else speech_end_ms
        for start_ms, stop_ms in told(watch, report(now_ms, speech_end_ms=speech_end_ms)):
            assert stop_ms - start_ms >= STRETCH_MS
            assert start_ms >= max(end_ms, speech_end_ms or 0)
            end_ms = stop_ms
