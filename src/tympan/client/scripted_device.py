"""A device that records what it is told to, by a clock that is passed in, and fails on command. For tests, and
for machines without a microphone. It behaves as a real one: after its audio comes silence, for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat

from tympan.client.clock import Clock, RoomClock
from tympan.client.errors import AudioDeviceError
from tympan.client.raw_audio import CHUNK_MS
from tympan.core.units import sample_count


class ScriptedDevice:
    """Records `payloads`, one every CHUNK_MS. Needs a running event loop."""

    def __init__(
        self,
        payloads: Iterable[bytes] = (),
        *,
        sample_rate_hz: int = 16_000,
        channels: int = 1,
        clock: Clock | None = None,
        refusal: str | None = None,
    ) -> None:
        """`refusal` is why it can't be opened."""
        self.name = "scripted"
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self.is_open = False
        self._clock = clock or RoomClock()
        self._refusal = refusal
        silence = bytes(2 * channels * sample_count(CHUNK_MS, sample_rate_hz))
        self._payloads: Iterator[bytes] = chain(payloads, repeat(silence))
        self._is_frozen = False
        self._has_lost = False
        self._recording: asyncio.Task[None] | None = None

    def start(self, deliver: Callable[[bytes, bool], None], ended: Callable[[], None]) -> None:
        if self._refusal is not None:
            raise AudioDeviceError(f"the microphone {self.name!r} can't be opened: {self._refusal}")
        self.is_open = True
        self._ended = ended
        self._recording = asyncio.get_running_loop().create_task(self._record(deliver))

    def close(self) -> None:
        self.is_open = False
        if self._recording is not None:
            self._recording.cancel()

    def unplug(self) -> None:
        """It is gone, and the driver says so."""
        self.close()
        self._ended()

    def freeze(self) -> None:
        """It delivers nothing any more, and says nothing."""
        self._is_frozen = True

    def overflow(self) -> None:
        """It loses some audio before its next delivery, and says so."""
        self._has_lost = True

    async def _record(self, deliver: Callable[[bytes, bool], None]) -> None:
        started = self._clock.now()
        for count, payload in enumerate(self._payloads, start=1):
            await self._clock.sleep(max(0.0, started + count * CHUNK_MS / 1000 - self._clock.now()))
            if self._is_frozen:
                return
            has_lost, self._has_lost = self._has_lost, False
            deliver(payload, has_lost)
