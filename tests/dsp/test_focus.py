"""Noise suppression as a stream: nothing lost, nothing moved, as strong as asked for, and no cost when off."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import FocusConfig, Microphone
from tympan.dsp.decode import decoder_of
from tympan.dsp.focus import Suppressor, can_focus, focused
from tympan.dsp.pcm import encode_pcm16

Samples = NDArray[np.int16]
NEAR, FAR = FocusConfig(Microphone.NEAR_FIELD, 1.0), FocusConfig(Microphone.FAR_FIELD, 1.0)
SECOND = 16_000
MOST_HELD_SAMPLES = 255
"""The delay, and a frame that lacks a sample."""


def hiss(sample_count: int, *, seed: int = 0) -> Samples:
    return (np.random.default_rng(seed).standard_normal(sample_count) * 1_000).astype(np.int16)


def cut(samples: Samples, sizes: list[int]) -> list[Samples]:
    bounds = [0, *np.cumsum(sizes).tolist(), len(samples)]
    return [samples[start:end] for start, end in pairwise(bounds)]


def suppressed(pieces: list[Samples], focus: FocusConfig) -> Samples:
    suppressor = Suppressor(focus)
    return np.concatenate([*(suppressor.suppress(piece) for piece in pieces), suppressor.flush()])


def level_db(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples.astype(np.float64))))))


@given(
    st.sampled_from(list(Microphone)),
    st.floats(0, 1),
    st.lists(st.integers(0, 700), max_size=20),
    st.integers(0, 700),
)
@settings(max_examples=60)
def test_any_chunking_gives_exactly_the_same_samples_and_as_many_as_went_in(
    microphone: Microphone, strength: float, sizes: list[int], rest: int
) -> None:
    focus = FocusConfig(microphone, strength)
    samples = hiss(sum(sizes) + rest)

    whole = suppressed([samples], focus)

    assert len(whole) == len(samples)
    assert np.array_equal(suppressed(cut(samples, sizes), focus), whole)


@given(st.lists(st.integers(0, 500), max_size=20))
@settings(max_examples=60)
def test_no_more_than_a_frame_and_the_delay_is_ever_held_back(sizes: list[int]) -> None:
    suppressor, held = Suppressor(NEAR), 0
    for size in sizes:
        held += size - len(suppressor.suppress(hiss(size)))
        assert 0 <= held <= MOST_HELD_SAMPLES
    assert len(suppressor.flush()) == held
    assert len(suppressor.flush()) == 0


@pytest.mark.parametrize("focus", [NEAR, FAR])
@pytest.mark.parametrize("at", [0, 5, 159, 160, 8_000])
def test_a_sound_stays_where_it_is(focus: FocusConfig, at: int) -> None:
    click = np.zeros(SECOND, np.int16)
    click[at] = 20_000

    assert np.argmax(suppressed([click], focus)) == at


def test_a_sound_at_the_very_end_comes_out() -> None:
    click = np.zeros(SECOND + 1, np.int16)
    click[-1] = 20_000

    assert suppressed([click], NEAR)[-1] > 1_000


@pytest.mark.parametrize(
    ("microphone", "strength", "turned_down_db"),
    [
        (Microphone.NEAR_FIELD, 1.0, 12),
        (Microphone.NEAR_FIELD, 0.5, 6),
        (Microphone.FAR_FIELD, 1.0, 6),
        (Microphone.FAR_FIELD, 0.5, 3),
    ],
)
def test_steady_noise_is_turned_down_by_that_share_of_what_the_microphone_allows(
    microphone: Microphone, strength: float, turned_down_db: int
) -> None:
    noise = hiss(8 * SECOND)

    quieter = suppressed([noise], FocusConfig(microphone, strength))

    learnt = slice(4 * SECOND, None)
    assert level_db(noise[learnt]) - level_db(quieter[learnt]) == pytest.approx(turned_down_db, abs=0.7)


@pytest.mark.parametrize("microphone", Microphone)
def test_more_strength_turns_noise_down_more_and_none_changes_no_sample(microphone: Microphone) -> None:
    noise = hiss(4 * SECOND)
    outputs = [suppressed([noise], FocusConfig(microphone, strength)) for strength in (0.0, 0.25, 0.5, 0.75, 1.0)]

    assert np.array_equal(outputs[0], noise)
    levels = [level_db(output[2 * SECOND :]) for output in outputs]
    assert all(after < before for before, after in pairwise(levels))


def test_no_sample_overflows_at_full_scale() -> None:
    square = np.where(np.arange(SECOND) // 40 % 2, 32_767, -32_768).astype(np.int16)

    heard = suppressed([square], FocusConfig(Microphone.NEAR_FIELD, 0.5))

    assert np.corrcoef(square, heard)[0, 1] > 0.9, "a sample that overflows changes its sign"


def test_sessions_that_take_turns_hear_nothing_of_each_other() -> None:
    loud, faint = hiss(SECOND), hiss(SECOND, seed=1) // 10
    alone = [suppressed([audio], NEAR) for audio in (loud, faint)]
    both = [Suppressor(NEAR), Suppressor(NEAR)]

    heard: list[list[Samples]] = [[], []]
    for start in range(0, SECOND, 800):
        for index, audio in enumerate((loud, faint)):
            heard[index].append(both[index].suppress(audio[start : start + 800]))

    for index, suppressor in enumerate(both):
        assert np.array_equal(np.concatenate([*heard[index], suppressor.flush()]), alone[index])


@pytest.mark.parametrize(
    "audio", [AudioFormat(), AudioFormat(sample_rate_hz=44_100), AudioFormat(Encoding.PCM_MULAW, 8_000)]
)
def test_every_format_is_suppressed_after_it_was_decoded_and_loses_nothing(audio: AudioFormat) -> None:
    payload = encode_pcm16(hiss(SECOND))
    plain, quiet = decoder_of(audio), focused(decoder_of(audio), NEAR)

    decoded = np.concatenate([plain.decode(payload), plain.flush()])
    heard = np.concatenate([quiet.decode(payload[:1_001]), quiet.decode(payload[1_001:]), quiet.flush(), quiet.flush()])

    assert np.array_equal(heard, suppressed([decoded], NEAR))


def test_who_does_not_ask_gets_the_decoder_itself() -> None:
    decoder = decoder_of(AudioFormat())

    assert focused(decoder, None) is decoder


def test_whether_noise_can_be_suppressed_depends_on_the_package_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_focus()
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)
    assert not can_focus()
