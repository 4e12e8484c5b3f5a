"""What compressed audio comes apart into. PURE: standard library only.

A framer knows a container, or the first byte of a packet, and no codec: it says where packets begin and how long they
last, so that time is right and bounds hold before anything is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Packet:
    """A unit of a codec: it decodes to `sample_count` samples a channel at `rate_hz`, whatever the decoder says.

    `skip_count` of them at the start and `trim_count` at the end are the encoder's and no audio. `is_first`: what was
    decoded before belongs to another stream. The samples are to be amplified by `gain_db`.
    """

    payload: bytes
    sample_count: int
    rate_hz: int
    skip_count: int = 0
    trim_count: int = 0
    gain_db: float = 0.0
    is_first: bool = False

    @property
    def kept_count(self) -> int:
        """Samples that are audio."""
        return max(0, self.sample_count - self.skip_count - self.trim_count)


class Framer(Protocol):
    """One session's audio. The same bytes give the same packets, however a byte stream is cut."""

    def receive(self, payload: bytes) -> Iterator[Packet]:
        """The packets that a message completes, one by one: whoever has enough of them stops.

        Raises:
            BadAudio: it isn't what it is said to be, or too damaged.
        """
