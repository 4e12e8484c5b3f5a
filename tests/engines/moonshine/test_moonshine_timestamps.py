from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.engines.base import Samples
from tympan.engines.moonshine.energy import EnergyTrack
from tympan.engines.moonshine.timestamps import SilenceTrack, decoded_words, repair_times
from tympan.engines.moonshine.tokens import TokenSpan


@dataclass(frozen=True)
class Said:
    """Words of one token each, with the frames where attention peaks."""

    peaks: tuple[int, ...]

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(range(100, 100 + len(self.peaks)))

    @property
    def log_probs(self) -> tuple[float, ...]:
        return tuple(-0.1 * (i + 1) for i in range(len(self.peaks)))

    @property
    def margins(self) -> tuple[float, ...]:
        return tuple(1.0 + i for i in range(len(self.peaks)))

    @property
    def spans(self) -> list[TokenSpan]:
        return [TokenSpan(f"w{i}", i, i, i + 1, i + 1) for i in range(len(self.peaks))]


def track(text: str, start_ms: int = 0) -> SilenceTrack:
    """`#` is 100 ms of sound, `.` 100 ms of silence."""
    return SilenceTrack(start_ms, tuple(mark == "." for mark in text for _ in range(10)))


def test_a_word_starts_where_attention_peaks_less_the_lag_of_the_head() -> None:
    said = Said((50,))
    (word,) = decoded_words(said, said.spans, track("#" * 20), window_start_ms=1000)
    assert word.start_ms == 1000 + 50 * 24 + 28 - 46
    assert word.attended_ms == 1000 + 50 * 24 + 28


def test_a_word_ends_where_the_next_one_starts_when_speech_flows_on() -> None:
    said = Said((10, 30))
    first, second = decoded_words(said, said.spans, track("#" * 15), 0)
    assert first.end_ms == second.start_ms
    assert second.end_ms == 1500


def test_a_word_before_a_pause_ends_where_the_sound_stops() -> None:
    said = Said((10, 60))
    first, _ = decoded_words(said, said.spans, track("######" + "." * 8 + "####"), 0)
    assert first.end_ms == 600


def test_the_last_word_ends_where_the_sound_stops() -> None:
    said = Said((10,))
    (word,) = decoded_words(said, said.spans, track("#####.........."), 0)
    assert word.end_ms == 500


def test_silence_that_began_before_the_word_leaves_it_the_sound_it_surely_has() -> None:
    said = Said((30,))
    (word,) = decoded_words(said, said.spans, track("#" + "." * 20), 0)
    assert word.end_ms == word.attended_ms + 80 + 2  # up to the next step of 10 ms


def test_no_word_starts_before_its_window() -> None:
    said = Said((0,))
    (word,) = decoded_words(said, said.spans, track("#####", 700), 700)
    assert word.start_ms == 700


def test_doubt_about_attached_punctuation_is_no_doubt_about_the_word() -> None:
    said = Said((10, 20))
    (word,) = decoded_words(said, [TokenSpan("w,", 0, 0, 1, 2)], track("#" * 9), 0)
    assert (word.log_prob, word.margin) == (-0.1, 1.0)
    assert word.tokens == (100, 101)
    assert word.is_closed


def test_no_tokens_give_no_words() -> None:
    assert decoded_words(Said(()), [], track("#"), 0) == []


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(0, 5000))
def test_starts_never_decrease_and_every_word_lasts(peaks: list[int], window_start_ms: int) -> None:
    said = Said(tuple(peaks))
    words = decoded_words(said, said.spans, track("#.##..#", window_start_ms), window_start_ms)
    starts = [word.start_ms for word in words]
    assert starts == sorted(starts)
    assert all(word.end_ms >= word.start_ms + 50 for word in words)


@pytest.mark.parametrize(
    ("values", "repaired"),
    [
        ([], []),
        ([5], [5]),
        ([1, 2, 2, 9], [1, 2, 2, 9]),
        ([10, 90, 20, 30], [10, 15, 20, 30]),
        ([50, 10, 20, 30], [10, 10, 20, 30]),
        ([10, 20, 30, 5], [10, 20, 30, 30]),
        ([0, 10, 3, 20], [0, 1, 3, 20]),
    ],
)
def test_outliers_are_interpolated_between_their_neighbours(values: list[int], repaired: list[int]) -> None:
    assert repair_times(values) == repaired


@given(st.lists(st.integers(-50, 500)))
def test_repaired_times_never_decrease_and_stay_within_their_range(values: list[int]) -> None:
    repaired = repair_times(values)
    assert repaired == sorted(repaired)
    assert len(repaired) == len(values)
    assert repair_times(repaired) == repaired
    if values:
        assert min(values) <= min(repaired)
        assert max(repaired) <= max(values)


def test_the_last_sound_is_told_for_a_window() -> None:
    assert track("##.#...", 300).last_sound_ms == 700
    assert track("...", 300).last_sound_ms == 300


def tone(duration_ms: int, amplitude: int) -> Samples:
    wave: Samples = (amplitude * np.sin(np.arange(duration_ms * 16) * 0.5)).astype(np.int16)
    return wave


def test_steps_far_below_the_loud_ones_are_silent() -> None:
    energy = EnergyTrack()
    energy.accept(np.concatenate([tone(100, 8000), tone(200, 8), tone(100, 8000)]))
    assert energy.silence() == track("#..#")


@given(st.lists(st.integers(0, 700), max_size=12))
def test_the_track_is_the_same_however_audio_is_cut(pieces: list[int]) -> None:
    samples = np.concatenate([tone(80, 8000), tone(120, 8), tone(100, 5000)])
    energy = EnergyTrack()
    at = 0
    for piece in pieces:
        energy.accept(samples[at : at + piece])
        at += piece
    energy.accept(samples[at:])
    whole = EnergyTrack()
    whole.accept(samples)
    assert energy.silence() == whole.silence()


def test_a_trimmed_track_keeps_its_place_in_the_stream() -> None:
    energy = EnergyTrack()
    energy.accept(np.concatenate([tone(200, 8000), tone(200, 8), tone(200, 8000)]))
    energy.trim(16 * 105)
    assert energy.silence() == SilenceTrack(100, track("#..##").is_silent)


def test_a_track_that_starts_inside_a_step_begins_with_the_next_one() -> None:
    energy = EnergyTrack(start_sample=170)
    energy.accept(tone(40, 8000))
    assert energy.silence().start_ms == 20
    assert energy.silence().end_ms == 50


def test_no_audio_has_no_silence() -> None:
    assert EnergyTrack().silence() == SilenceTrack(0, ())
