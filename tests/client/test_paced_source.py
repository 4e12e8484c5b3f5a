"""Files and iterators of bytes as sources: complete, on time, and over as soon as they are closed."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_clock import VirtualClock

from tympan.client.audio_source import AudioSource
from tympan.client.paced_source import PacedSource, bytes_source, file_source
from tympan.client.raw_audio import RawFormat
from tympan.client.sources import Pacing
from tympan.core.units import Monotonic

CHUNKS = [bytes([index]) * 1_600 for index in range(20)]
"""A second of 16 kHz mono, 50 ms each."""


async def due_times_s(source: PacedSource, clock: VirtualClock) -> list[float]:
    started = clock.time_s
    return [round(clock.time_s - started, 6) async for _ in source]


def test_chunks_come_when_a_microphone_would_have_them() -> None:
    clock = VirtualClock()
    times = asyncio.run(due_times_s(PacedSource(CHUNKS, 16_000, clock=clock), clock))
    assert times == [round(0.05 * count, 6) for count in range(1, 21)]


def test_without_a_pace_they_come_as_they_are_asked_for() -> None:
    clock = VirtualClock()
    assert asyncio.run(due_times_s(PacedSource(CHUNKS, 16_000, speed=None, clock=clock), clock)) == [0.0] * 20


def test_a_head_start_is_given_at_once_and_again_after_what_was_heard() -> None:
    clock = VirtualClock()
    source = PacedSource(CHUNKS, 16_000, speed=1.0, head_start_ms=200, clock=clock)

    async def stream() -> list[float]:
        times = []
        async for _ in source:
            times.append(round(clock.time_s - 100.0, 6))
            if len(times) == 10:
                source.grant(500)  # at 0.3 s all that was sent is heard
        return times

    times = asyncio.run(stream())
    assert times[:4] == [0.0] * 4
    assert times[9] == pytest.approx(0.3)
    assert times[10:14] == [times[9]] * 4
    assert times[14] == pytest.approx(0.35)


@given(st.floats(0, 100), st.floats(0.5, 8), st.floats(0, 60_000), st.floats(0, 300_000), st.floats(0, 300_000))
def test_a_grant_never_delays_a_chunk(
    passed_s: float, speed: float, head_start_ms: float, heard_ms: float, sent_ms: float
) -> None:
    now = Monotonic(100.0 + passed_s)
    pacing = Pacing(Monotonic(100.0), speed, head_start_ms)
    assert pacing.granted(heard_ms, now).delay_s(sent_ms, now) <= pacing.delay_s(sent_ms, now) + 1e-6


def test_a_closed_source_gives_no_more_chunks() -> None:
    async def stream() -> list[bytes]:
        source = PacedSource(CHUNKS, 16_000, clock=VirtualClock())
        got = []
        async for chunk in source:
            got.append(chunk)
            if len(got) == 3:
                await source.close()
                await source.close()
        return got

    assert asyncio.run(stream()) == CHUNKS[:3]


def test_an_iterator_that_gives_nothing_any_more_does_not_hold_up_a_close() -> None:
    released = []

    async def giver() -> AsyncIterator[bytes]:
        try:
            yield CHUNKS[0]
            await asyncio.Event().wait()
        finally:
            released.append(True)

    async def stream() -> list[bytes]:
        source = bytes_source(giver())
        asyncio.get_running_loop().call_later(0.01, lambda: asyncio.ensure_future(source.close()))
        async with asyncio.timeout(60):
            return [chunk async for chunk in source]

    assert asyncio.run(stream()) == CHUNKS[:1]
    assert released == [True]


def test_an_error_of_the_giver_is_not_swallowed() -> None:
    async def giver() -> AsyncIterator[bytes]:
        yield CHUNKS[0]
        raise ZeroDivisionError

    async def stream() -> None:
        async for _ in bytes_source(giver()):
            pass

    with pytest.raises(ZeroDivisionError):
        asyncio.run(stream())


@pytest.mark.parametrize("is_async", [True, False])
def test_bytes_cut_anywhere_become_chunks_of_50_ms(is_async: bool) -> None:
    payloads = [b"".join(CHUNKS)[at : at + 777] for at in range(0, 32_000, 777)]

    async def giver() -> AsyncIterator[bytes]:
        for payload in payloads:
            yield payload

    async def stream() -> list[bytes]:
        source = bytes_source(giver() if is_async else payloads, RawFormat(16_000))
        assert isinstance(source, AudioSource)
        return [chunk async for chunk in source]

    assert asyncio.run(stream()) == CHUNKS


def test_a_file_is_a_source_at_its_own_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"".join(CHUNKS))

    async def stream() -> list[bytes]:
        with file_source(path, speed=None) as source:
            assert source.sample_rate_hz == 8_000
            return [chunk async for chunk in source]

    assert b"".join(asyncio.run(stream())) == b"".join(CHUNKS)
