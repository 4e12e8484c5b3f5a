"""How loud it is, and how long words take: what the gauges of live captions tell."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from said import turn

from tympan.cli.gauges import QUIET_DBFS, DelayGauge, meter, peak_dbfs
from tympan.core.units import StreamMs


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


@pytest.mark.parametrize(
    ("chunk", "level_dbfs"),
    [
        (b"", QUIET_DBFS),
        (pcm(0, 0), QUIET_DBFS),
        (pcm(1, -1), QUIET_DBFS),
        (pcm(3, -32_768, 5), 0.0),
        (pcm(16_384), pytest.approx(-6.02, abs=0.01)),
        (pcm(16_384) + b"\0", pytest.approx(-6.02, abs=0.01)),
    ],
)
def test_the_level_is_that_of_the_loudest_sample(chunk: bytes, level_dbfs: float) -> None:
    assert peak_dbfs(chunk) == level_dbfs


@given(st.binary(max_size=200))
def test_any_audio_has_a_level_that_fits_the_meter(chunk: bytes) -> None:
    assert 0 <= meter(peak_dbfs(chunk), 12) <= 12


def test_the_meter_goes_from_a_quiet_room_to_full_scale() -> None:
    assert [meter(level, 12) for level in (-90.0, QUIET_DBFS, -30.0, 0.0, 6.0)] == [0, 0, 6, 12, 12]


def test_a_word_is_as_late_as_its_end_when_it_first_appears() -> None:
    gauge = DelayGauge()
    assert gauge.median_ms is None
    gauge.receive_turn(turn(0, "one"), StreamMs(700))  # ends at 400
    gauge.receive_turn(turn(0, "one two"), StreamMs(1_400))  # ends at 900
    gauge.receive_turn(turn(0, "one too"), StreamMs(9_000))  # changed, not new
    assert gauge.median_ms == 400


def test_a_new_turn_has_new_words_and_no_delay_is_negative() -> None:
    gauge = DelayGauge()
    gauge.receive_turn(turn(0, "one two three", start_ms=0), StreamMs(1_000))  # ends at 400, 900, 1400
    assert gauge.median_ms == 100
    gauge.receive_turn(turn(1, "four", start_ms=2_000), StreamMs(3_400))
    assert gauge.median_ms == 350  # of 0, 100, 600 and 1000
