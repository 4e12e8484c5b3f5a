"""Clocks, formats and their arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.units import StreamMs, sample_count, stream_ms

RATES = st.integers(8_000, 96_000)


@pytest.mark.parametrize(("samples", "ms"), [(0, 0), (15, 0), (16, 1), (31, 1), (32, 2)])
def test_a_sample_s_time_is_rounded_down(samples: int, ms: int) -> None:
    assert stream_ms(samples, 16_000) == ms


def test_three_hours_at_an_awkward_rate_do_not_drift() -> None:
    assert stream_ms(3 * 3600 * 44_100, 44_100) == 3 * 3600 * 1000


@given(ms=st.integers(0, 20_000_000), rate_hz=RATES)
def test_time_to_samples_and_back_loses_less_than_a_millisecond(ms: int, rate_hz: int) -> None:
    assert ms - 1 <= stream_ms(sample_count(ms, rate_hz), rate_hz) <= ms


@given(samples=st.integers(0, 10**12), rate_hz=RATES)
def test_samples_to_time_and_back_never_passes_the_sample(samples: int, rate_hz: int) -> None:
    assert sample_count(stream_ms(samples, rate_hz), rate_hz) <= samples


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "byte_count", "duration_ms"),
    [
        (Encoding.PCM_S16LE, 16_000, 1600, 50.0),
        (Encoding.PCM_S16LE, 16_000, 1601, 50.03125),
        (Encoding.PCM_MULAW, 8_000, 160, 20.0),
        (Encoding.PCM_S16LE, 48_000, 96, 1.0),
    ],
)
def test_a_chunk_lasts_this_long(encoding: Encoding, rate_hz: int, byte_count: int, duration_ms: float) -> None:
    assert AudioFormat(encoding, rate_hz).duration_ms(byte_count) == duration_ms


@pytest.mark.parametrize(("byte_count", "position_ms"), [(0, 0), (31, 0), (32, 1), (33, 1), (63, 1), (64, 2)])
def test_a_position_counts_whole_samples(byte_count: int, position_ms: int) -> None:
    assert AudioFormat().position_ms(byte_count) == position_ms


@given(ms=st.integers(0, 20_000_000), rate_hz=RATES, encoding=st.sampled_from(Encoding))
def test_the_bytes_before_a_time_end_at_a_whole_sample_less_than_a_millisecond_before_it(
    ms: int, rate_hz: int, encoding: Encoding
) -> None:
    audio = AudioFormat(encoding, rate_hz)
    position = audio.byte_position(StreamMs(ms))
    assert position % audio.bytes_per_sample == 0
    assert ms - 1 <= audio.position_ms(position) <= ms
