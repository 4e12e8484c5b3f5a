"""Sources that need no device: an audio file, and whatever gives bytes. Paced by a clock that is passed in.

Rules: see `audio_source`. Without a pace a chunk comes as soon as it is asked for. What is wrong with a file
is a MediaError while iterating; the file is closed when its `with` block is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tympan.client.clock import Clock, RoomClock
from tympan.client.raw_audio import CHUNK_MS, MonoChunks, RawFormat
from tympan.client.sources import Pacing, open_audio, pcm_chunks
from tympan.core.audio import AudioFormat

REAL_TIME = 1.0


class PacedSource:
    """Mono PCM16 chunks, each given when it is due.

    `speed` is the pace: 1.0 as a microphone, 4.0 four times that, None as fast as they are taken. The first
    `head_start_ms` are given at once. `grant` says how far the other side has come, for those who would
    rather follow it than a fixed pace.
    """

    def __init__(
        self,
        chunks: Iterable[bytes] | AsyncIterable[bytes],
        sample_rate_hz: int,
        *,
        speed: float | None = REAL_TIME,
        head_start_ms: float = 0.0,
        clock: Clock | None = None,
    ) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._chunks = chunks
        self._speed = speed
        self._head_start_ms = head_start_ms
        self._clock = clock or RoomClock()
        self._pacing: Pacing | None = None
        self._closed = asyncio.Event()

    async def close(self) -> None:
        """No more chunks, not even one that is waited for. Idempotent."""
        self._closed.set()

    def grant(self, heard_until_ms: float) -> None:
        """The other side has heard that much: the head start counts from there. Never slows down."""
        if self._pacing is not None:
            self._pacing = self._pacing.granted(heard_until_ms, self._clock.now())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._speed is not None:
            self._pacing = Pacing(self._clock.now(), self._speed, self._head_start_ms)
        audio_format = AudioFormat(sample_rate_hz=self.sample_rate_hz)
        byte_count = 0
        async for chunk in self._waited():
            byte_count += len(chunk)
            delay_s = 0.0
            if self._pacing is not None:
                delay_s = self._pacing.delay_s(audio_format.duration_ms(byte_count), self._clock.now())
            await self._clock.sleep(delay_s)
            if self._closed.is_set():
                return
            yield chunk

    async def _waited(self) -> AsyncIterator[bytes]:
        """The chunks, until closed; one that its giver withholds is not waited for any longer then."""
        if isinstance(self._chunks, Iterable):
            for chunk in self._chunks:
                yield chunk
            return
        chunks = aiter(self._chunks)
        closing = asyncio.create_task(self._closed.wait())
        try:
            while (given := await _unless(closing, chunks)) is not None:
                yield given
        finally:
            closing.cancel()


@contextmanager
def file_source(
    path: Path,
    *,
    chunk_ms: int = CHUNK_MS,
    speed: float | None = REAL_TIME,
    clock: Clock | None = None,
) -> Iterator[PacedSource]:
    """An audio file as a source, at its own sample rate.

    Raises:
        MediaError: see `open_audio`.
    """
    with open_audio(path) as audio:
        yield PacedSource(pcm_chunks(audio, chunk_ms=chunk_ms), audio.sample_rate_hz, speed=speed, clock=clock)


def bytes_source(
    payloads: Iterable[bytes] | AsyncIterable[bytes],
    raw_format: RawFormat | None = None,
    *,
    speed: float | None = None,
    clock: Clock | None = None,
) -> PacedSource:
    """Raw audio from any iterator of bytes, synchronous or not, cut anywhere."""
    raw_format = raw_format or RawFormat()
    chunks: Iterable[bytes] | AsyncIterable[bytes]
    chunks = _cut(payloads, raw_format) if isinstance(payloads, Iterable) else _cut_async(payloads, raw_format)
    return PacedSource(chunks, raw_format.sample_rate_hz, speed=speed, clock=clock)


def _cut(payloads: Iterable[bytes], raw_format: RawFormat) -> Iterator[bytes]:
    cutter = MonoChunks(raw_format)
    for payload in payloads:
        yield from cutter.receive(payload)
    yield from cutter.close()


async def _cut_async(payloads: AsyncIterable[bytes], raw_format: RawFormat) -> AsyncIterator[bytes]:
    cutter = MonoChunks(raw_format)
    async for payload in payloads:
        for chunk in cutter.receive(payload):
            yield chunk
    for chunk in cutter.close():
        yield chunk


async def _unless(closing: asyncio.Task[Literal[True]], chunks: AsyncIterator[bytes]) -> bytes | None:
    """The next chunk; None at the end, and when `closing` comes first."""
    coming = asyncio.create_task(_next(chunks))
    try:
        await asyncio.wait((closing, coming), return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() and not closing.done() else None
    finally:
        coming.cancel()


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)
