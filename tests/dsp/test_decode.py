"""Client bytes → 16 kHz samples: exact, whatever the chunking; in time, whatever the rate."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.errors import UsageError
from tympan.dsp.decode import PcmDecoder
from tympan.dsp.mulaw import decode_mulaw
from tympan.dsp.pcm import decode_pcm16, encode_pcm16, quantize

RATES_HZ = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000]


def decode_in(chunks: list[bytes], audio_format: AudioFormat) -> NDArray[np.int16]:
    decoder = PcmDecoder(audio_format)
    return np.concatenate([*(decoder.decode(chunk) for chunk in chunks), decoder.flush()])


def noise(byte_count: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(byte_count)


def tone(sample_rate_hz: int, *, hz: float, seconds: float) -> bytes:
    time_s = np.arange(int(sample_rate_hz * seconds)) / sample_rate_hz
    return encode_pcm16((np.sin(2 * np.pi * hz * time_s) * 16_000).astype(np.int16))


@given(
    st.sampled_from(list(Encoding)),
    st.sampled_from(RATES_HZ),
    st.lists(st.integers(0, 1_200), min_size=1, max_size=40),
    st.integers(0, 1_000),
)
@settings(max_examples=150, deadline=None)
def test_any_chunking_gives_exactly_the_same_samples(
    encoding: Encoding, rate_hz: int, sizes: list[int], seed: int
) -> None:
    audio_format = AudioFormat(encoding, rate_hz)
    payload = noise(sum(sizes), seed)
    cuts = np.cumsum([0, *sizes])
    chunks = [payload[start:end] for start, end in pairwise(cuts)]

    assert np.array_equal(decode_in(chunks, audio_format), decode_in([payload], audio_format))


def test_one_byte_at_a_time_gives_exactly_the_same_samples() -> None:
    audio_format = AudioFormat(sample_rate_hz=44_100)
    payload = noise(4_001)

    single_bytes = [payload[index : index + 1] for index in range(len(payload))]

    assert np.array_equal(decode_in(single_bytes, audio_format), decode_in([payload], audio_format))


@given(st.sampled_from(RATES_HZ), st.integers(0, 60_000))
@settings(max_examples=80, deadline=None)
def test_as_much_time_comes_out_as_went_in_within_two_samples(rate_hz: int, sample_count: int) -> None:
    samples = decode_in([noise(2 * sample_count)], AudioFormat(sample_rate_hz=rate_hz))

    assert abs(len(samples) - sample_count * 16_000 / rate_hz) <= 2


@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_ten_minutes_of_audio_do_not_drift(rate_hz: int) -> None:
    chunk = bytes(2 * (rate_hz // 2))
    decoder = PcmDecoder(AudioFormat(sample_rate_hz=rate_hz))
    count = sum(len(decoder.decode(chunk)) for _ in range(1_200)) + len(decoder.flush())

    assert abs(count - 1_200 * (rate_hz // 2) * 16_000 / rate_hz) <= 1


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_click_stays_at_its_time_within_a_quarter_of_a_millisecond(rate_hz: int) -> None:
    click = np.zeros(2 * rate_hz, dtype=np.int16)
    click[rate_hz] = 20_000

    samples = decode_in([encode_pcm16(click)], AudioFormat(sample_rate_hz=rate_hz))

    assert abs(int(np.argmax(np.abs(samples.astype(int)))) - 16_000) <= 4


@pytest.mark.parametrize("rate_hz", [rate for rate in RATES_HZ if rate != 16_000])
def test_no_more_than_35_ms_are_held_back(rate_hz: int) -> None:
    decoder = PcmDecoder(AudioFormat(sample_rate_hz=rate_hz))
    twenty_ms = bytes(2 * (rate_hz // 50))

    delivered_ms = 0.0
    for chunk in range(1, 101):
        delivered_ms += len(decoder.decode(twenty_ms)) / 16
        received_ms = chunk * (rate_hz // 50) * 1000 / rate_hz
        assert received_ms - delivered_ms <= 35


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_keeps_its_level(rate_hz: int) -> None:
    samples = decode_in([tone(rate_hz, hz=1_000, seconds=1)], AudioFormat(sample_rate_hz=rate_hz))

    level = np.sqrt(np.mean(samples[2_000:14_000].astype(float) ** 2))
    assert level == pytest.approx(16_000 / np.sqrt(2), rel=0.001)


def test_a_tone_above_8_khz_leaves_nothing_behind() -> None:
    samples = decode_in([tone(48_000, hz=11_000, seconds=1)], AudioFormat(sample_rate_hz=48_000))

    assert np.max(np.abs(samples[2_000:14_000])) <= 1


def test_full_scale_is_clipped_and_never_wraps() -> None:
    square = np.where(np.arange(8_000) % 40 < 20, 32_767, -32_768).astype(np.int16)

    samples = decode_in([encode_pcm16(square)], AudioFormat(sample_rate_hz=8_000))

    middle_of_high_half = samples[8_000 + 20]
    assert samples.max() == 32_767
    assert samples.min() == -32_768
    assert middle_of_high_half > 30_000


def test_at_16_khz_samples_pass_unchanged_and_at_once() -> None:
    payload = noise(3_200)

    assert np.array_equal(PcmDecoder(AudioFormat()).decode(payload), np.frombuffer(payload, dtype="<i2"))


def test_half_a_sample_at_the_end_is_no_sound() -> None:
    assert len(decode_in([b"\x01\x02\x03"], AudioFormat())) == 1


def test_flush_is_idempotent() -> None:
    decoder = PcmDecoder(AudioFormat(sample_rate_hz=8_000))
    decoder.decode(noise(1_600))
    decoder.flush()

    assert len(decoder.flush()) == 0


def test_no_audio_may_follow_a_flush() -> None:
    decoder = PcmDecoder(AudioFormat())
    decoder.flush()

    with pytest.raises(UsageError, match="after flush"):
        decoder.decode(b"")


@pytest.mark.parametrize(
    ("byte", "sample"),
    [
        (0xFF, 0),
        (0x7F, 0),
        (0x80, 32_124),
        (0x00, -32_124),
        (0xFE, 8),
        (0x7E, -8),
        (0xA0, 7_932),
        (0x20, -7_932),
    ],
)
def test_mulaw_bytes_have_the_values_of_g711(byte: int, sample: int) -> None:
    assert decode_mulaw(bytes([byte])).tolist() == [sample]


def test_mulaw_is_odd_symmetric_and_monotone() -> None:
    positive = decode_mulaw(bytes(range(0xFF, 0x7F, -1)))

    assert np.array_equal(positive, -decode_mulaw(bytes(range(0x7F, -1, -1))))
    assert np.all(np.diff(positive.astype(int)) > 0)


@given(st.binary(max_size=200).filter(lambda payload: len(payload) % 2 == 0))
def test_pcm_bytes_survive_decoding_and_encoding(payload: bytes) -> None:
    assert encode_pcm16(decode_pcm16(payload)) == payload


def test_quantizing_clips_beyond_full_scale() -> None:
    assert quantize(np.array([-1.5, -1, 0, 1, 1.5], dtype=np.float32)).tolist() == [
        -32768,
        -32768,
        0,
        32767,
        32767,
    ]
