"""Who is ahead of live audio."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tympan.core.pace import Pace
from tympan.core.units import Monotonic

T0 = Monotonic(1000.0)


def at(after_s: float) -> Monotonic:
    return Monotonic(T0 + after_s)


def test_who_is_new_is_not_ahead() -> None:
    assert not Pace(100, 10, T0).is_ahead(T0)


def test_a_whole_burst_at_once_is_ahead_until_live_audio_would_have_brought_one() -> None:
    pace = Pace(100, 10, T0)
    pace.receive(9, T0)
    assert not pace.is_ahead(T0)
    pace.receive(1, T0)
    assert pace.is_ahead(T0)
    assert not pace.is_ahead(at(0.011))


def test_silence_saves_up_no_more_than_a_burst() -> None:
    pace = Pace(100, 10, T0)
    pace.receive(9, at(3600))
    assert not pace.is_ahead(at(3600))
    pace.receive(1, at(3600))
    assert pace.is_ahead(at(3600))


@given(
    gaps_ms=st.lists(st.integers(0, 40), max_size=50),
    stall_ms=st.integers(0, 150),
)
def test_packets_of_2_5_ms_are_never_ahead_though_the_network_holds_some_back(
    gaps_ms: list[int], stall_ms: int
) -> None:
    pace = Pace(500, 64, T0)
    told = 0
    for now_ms in itertools.accumulate([*gaps_ms, stall_ms]):
        due = now_ms * 4 // 10
        pace.receive(due - told, at(now_ms / 1000))
        told = due
        assert not pace.is_ahead(at(now_ms / 1000))


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_however_it_comes_no_more_counts_as_live_than_live_audio_and_a_burst(counts: list[int]) -> None:
    pace = Pace(100, 10, T0)
    live = 0
    for tick, count in enumerate(counts):
        now = at(tick * 0.01)
        if not pace.is_ahead(now):
            live += count
        pace.receive(count, now)
    assert live <= len(counts) + 10 + max(counts)
