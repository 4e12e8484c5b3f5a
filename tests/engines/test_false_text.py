"""What is believed as the first words of a turn and what is held back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.engines.false_text import FAINTEST, LIMITS, RECENT_FRAMES, Voice, VoiceMeter, is_false_text

CLEAR = Voice(mean=LIMITS.clear_mean, peak=LIMITS.clear_peak)
FAINT = Voice(mean=LIMITS.faint_mean, peak=LIMITS.faint_peak)
probabilities = st.floats(0, 1)
counted = st.floats(FAINTEST, 1)


def test_a_single_unsure_word_in_a_clear_voice_is_believed() -> None:
    assert not is_false_text(CLEAR, word_count=1, lowest_log_prob=-3)


@pytest.mark.parametrize(
    "voice",
    [Voice(LIMITS.clear_mean - 0.01, 1.0), Voice(1.0, LIMITS.clear_peak - 0.01)],
    ids=["mean", "peak"],
)
def test_a_voice_must_be_clear_in_both_for_that(voice: Voice) -> None:
    assert is_false_text(voice, word_count=1, lowest_log_prob=-3)


def test_sure_text_in_a_faint_voice_is_believed() -> None:
    assert not is_false_text(FAINT, word_count=LIMITS.faint_words, lowest_log_prob=LIMITS.faint_log_prob)


def test_unsure_text_in_a_faint_voice_is_not() -> None:
    assert is_false_text(FAINT, word_count=9, lowest_log_prob=LIMITS.faint_log_prob - 0.01)


def test_too_short_a_text_in_a_faint_voice_is_not() -> None:
    assert is_false_text(FAINT, word_count=LIMITS.faint_words - 1, lowest_log_prob=-0.1)


@pytest.mark.parametrize(
    "voice",
    [Voice(LIMITS.faint_mean - 0.01, 1.0), Voice(1.0, LIMITS.faint_peak - 0.01)],
    ids=["mean", "peak"],
)
def test_below_a_faint_voice_no_text_is_believed(voice: Voice) -> None:
    assert is_false_text(voice, word_count=9, lowest_log_prob=-0.01)


def test_musical_notes_alone_are_no_text_even_in_a_clear_voice() -> None:
    assert is_false_text(Voice(1.0, 1.0), word_count=0, lowest_log_prob=0.0)


def test_a_meter_that_heard_nothing_knows_no_voice() -> None:
    assert VoiceMeter().voice == Voice(0.0, 0.0)


def test_a_meter_forgets_with_the_turn() -> None:
    meter = VoiceMeter()
    meter.receive_frame(0.9)
    meter.reset()
    assert meter.voice == Voice()


@given(st.lists(probabilities, max_size=200), st.lists(counted, min_size=64, max_size=64))
def test_only_the_recent_frames_count(noise: list[float], recent: list[float]) -> None:
    assert len(recent) == RECENT_FRAMES
    whole, tail = VoiceMeter(), VoiceMeter()
    for probability in noise + recent:
        whole.receive_frame(probability)
    for probability in recent:
        tail.receive_frame(probability)
    assert whole.voice == tail.voice
    assert whole.voice.peak == max(recent)


@given(st.lists(counted, min_size=1, max_size=40), st.lists(st.floats(0, FAINTEST, exclude_max=True), max_size=40))
def test_noise_that_a_low_threshold_lets_in_does_not_count_against_a_voice(
    voice: list[float], noise: list[float]
) -> None:
    alone, in_noise = VoiceMeter(), VoiceMeter()
    for probability in voice:
        alone.receive_frame(probability)
    for probability in [*noise, *voice, *noise]:
        in_noise.receive_frame(probability)
    assert in_noise.voice == alone.voice


@given(probabilities, probabilities, st.integers(0, 30), st.floats(-20, 0), probabilities)
def test_a_surer_voice_never_makes_text_false(
    mean: float, peak: float, word_count: int, log_prob: float, more: float
) -> None:
    if not is_false_text(Voice(mean, peak), word_count=word_count, lowest_log_prob=log_prob):
        surer = Voice(max(mean, more), max(peak, more))
        assert not is_false_text(surer, word_count=word_count, lowest_log_prob=log_prob)
