"""What every source of audio looks like to the rest of the client. No I/O here; sources are elsewhere.

Rules a source keeps:
- It yields mono PCM16 (little-endian) at one sample rate, in chunks of its own choice, at most 1 s each.
- It is paced by the clock that it was given: a chunk comes when a microphone would have it, or as soon as the
  receiver asks. Nobody else paces it.
- It ends by itself (end of the file, `close`), or raises: MediaError for a file, AudioDeviceError for a device.
- `close` may be called at any time, from any task, more than once; a chunk that is being waited for is then the
  last one, or none. After it the device is free.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable


@runtime_checkable
class AudioSource(Protocol):
    """An asynchronous iterator of chunks."""

    @property
    def sample_rate_hz(self) -> int:
        """Samples a second of what is yielded."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks, once."""

    async def close(self) -> None:
        """Release the device or file. Idempotent."""
