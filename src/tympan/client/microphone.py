"""A device that records → a source. The device's own thread hands its audio over; nothing is lost in silence.

Rules:
- The device is open inside the `async with` block only, and free afterwards, on every path; `close` frees it
  sooner, and what was recorded until then is still given.
- Between device and receiver there is room for `capacity_ms`. What doesn't fit is lost, counted and told, as is
  what the device itself lost.
- A device that stops by itself, or delivers nothing for `stall_s`, is an AudioDeviceError.

    async with Microphone(open_device()) as microphone:
        async for chunk in microphone:
            ...
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from tympan.client.errors import AudioDeviceError
from tympan.client.raw_audio import MonoChunks, RawFormat
from tympan.core.audio import AudioFormat

STALL_S = 5.0
"""Bluetooth microphones take up to three seconds until their first sound."""

CAPACITY_MS = 30_000


class InputDevice(Protocol):
    """A device that can record: PortAudio's, or one that plays a script. Opened once."""

    name: str
    sample_rate_hz: int
    channels: int

    def start(self, deliver: Callable[[bytes, bool], None], ended: Callable[[], None]) -> None:
        """Begin to record. `deliver` gets interleaved PCM16 and whether audio was lost before it; `ended` is
        called when the device stops by itself. Both may be called from any thread and return at once.

        Raises:
            AudioDeviceError: it can't be opened.
        """

    def close(self) -> None:
        """Free the device; nothing is delivered any more. Idempotent."""


@dataclass(frozen=True, slots=True)
class AudioLoss:
    """Recorded audio that nobody got, since the beginning."""

    dropped_ms: int = 0
    """No room was left: the receiver was too slow."""
    device_overflows: int = 0
    """How often the device said that it lost some itself; it doesn't say how much."""


class Microphone:
    """A device as a source. `on_loss` is called each time that audio was lost."""

    def __init__(
        self,
        device: InputDevice,
        *,
        stall_s: float = STALL_S,
        capacity_ms: int = CAPACITY_MS,
        on_loss: Callable[[AudioLoss], None] = lambda loss: None,
    ) -> None:
        self.loss = AudioLoss()
        self._device = device
        self._stall_s = stall_s
        self._on_loss = on_loss
        self._inbox = _Inbox(device, capacity_ms)
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._device.name

    @property
    def sample_rate_hz(self) -> int:
        return self._device.sample_rate_hz

    async def __aenter__(self) -> Self:
        """Open the device. Raises AudioDeviceError when it can't be."""
        self._inbox.attach(asyncio.get_running_loop())
        try:
            self._device.start(self._inbox.deliver, self._inbox.end)
        except BaseException:
            self._device.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        self._is_closed = True
        self._device.close()
        self._inbox.end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Chunks as they are recorded.

        Raises:
            AudioDeviceError: the device stopped, or is silent in a way that no microphone is.
        """
        chunks = MonoChunks(RawFormat(self._device.sample_rate_hz, self._device.channels))
        while (payload := await self._recorded()) is not None:
            for chunk in chunks.receive(payload):
                yield chunk
        for chunk in chunks.close():
            yield chunk
        if not self._is_closed:
            raise AudioDeviceError(f"the microphone {self.name!r} stopped by itself; was it unplugged?")

    async def _recorded(self) -> bytes | None:
        """What was recorded next; None when nothing more will be."""
        try:
            async with asyncio.timeout(self._stall_s):
                payload = await self._inbox.take()
        except TimeoutError:
            raise AudioDeviceError(
                f"the microphone {self.name!r} delivered nothing for {self._stall_s:g} s; "
                "was it unplugged, or does another program hold it?"
            ) from None
        if self.loss != self._inbox.loss:
            self.loss = self._inbox.loss
            self._on_loss(self.loss)
        return payload


class _Inbox:
    """Bounded room between a device's thread and the event loop."""

    def __init__(self, device: InputDevice, capacity_ms: int) -> None:
        self.loss = AudioLoss()
        self._format = AudioFormat(sample_rate_hz=device.sample_rate_hz * device.channels)
        self._capacity_ms = capacity_ms
        self._lock = threading.Lock()
        self._payloads: deque[bytes] = deque()
        self._byte_count = 0
        self._dropped_bytes = 0
        self._has_ended = False
        self._wake = asyncio.Event()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def deliver(self, payload: bytes, has_lost: bool) -> None:
        with self._lock:
            if self._has_ended:
                return
            if self._format.duration_ms(self._byte_count + len(payload)) > self._capacity_ms:
                self._dropped_bytes += len(payload)
            else:
                self._payloads.append(payload)
                self._byte_count += len(payload)
            self.loss = AudioLoss(
                dropped_ms=round(self._format.duration_ms(self._dropped_bytes)),
                device_overflows=self.loss.device_overflows + has_lost,
            )
        self._notify()

    def end(self) -> None:
        with self._lock:
            self._has_ended = True
        self._notify()

    async def take(self) -> bytes | None:
        while True:
            self._wake.clear()
            with self._lock:
                if self._payloads:
                    payload = self._payloads.popleft()
                    self._byte_count -= len(payload)
                    return payload
                if self._has_ended:
                    return None
            await self._wake.wait()

    def _notify(self) -> None:
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._wake.set)
