"""Compressed audio → 16 kHz mono samples. No I/O.

Rules:
- Time is what the packets say it is: one that can't be decoded, or not to its length, is silence for the rest of it.
- A stream of which a second in a row can't be decoded is given up: somebody must be told.
- All that a message completes comes out at once, but for what the resampler keeps (10 ms at 48 kHz).
- The package `av` is imported with the first packet: few servers need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tympan.core.audio import CompressedFormat
from tympan.core.errors import BadAudio, UsageError
from tympan.core.packets.packet import Packet
from tympan.core.received import framer_of
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ
from tympan.dsp.resample import Resampler

if TYPE_CHECKING:
    from tympan.dsp.libav import StreamDecoder

MAX_LOST_MS = 1_000
_NOTHING = np.zeros(0, dtype=np.int16)


class CompressedDecoder:
    """One session's audio: a `Decoder` (see `decode`)."""

    def __init__(self, audio: CompressedFormat) -> None:
        self._encoding = audio.encoding
        self._framer = framer_of(audio)
        self._stream: StreamDecoder | None = None
        self._rate_hz = ENGINE_SAMPLE_RATE_HZ  # of what was decoded last
        self._resampler: Resampler | None = None
        self._lost_ms = 0.0
        self._is_flushed = False

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        if self._is_flushed:
            raise UsageError("decode() after flush(): a decoder serves one stream, open another")
        return np.concatenate([_NOTHING, *map(self._decode, self._framer.receive(payload))])

    def flush(self) -> NDArray[np.int16]:
        """What was held back. No audio may follow; a packet that was cut off is no sound. Idempotent."""
        self._is_flushed = True
        return self._resample_rest()

    def _decode(self, packet: Packet) -> NDArray[np.int16]:
        if self._stream is None or packet.is_first:
            from tympan.dsp.libav import StreamDecoder  # noqa: PLC0415  (few servers need it)

            self._stream = StreamDecoder(self._encoding)
        decoded = self._stream.decode(packet)
        self._follow_losses(packet, is_lost=decoded is None)
        if decoded is None:
            # At the rate of what was decoded around it: no resampler is changed for silence.
            return self._resample(_fit(_NOTHING, packet, self._rate_hz), self._rate_hz)
        samples, rate_hz = decoded
        return self._resample(_fit(samples, packet, rate_hz), rate_hz)

    def _follow_losses(self, packet: Packet, *, is_lost: bool) -> None:
        duration_ms = packet.sample_count * 1000 / packet.rate_hz
        self._lost_ms = self._lost_ms + duration_ms if is_lost else 0.0
        if self._lost_ms > MAX_LOST_MS:
            raise BadAudio(f"nothing of the last {self._lost_ms:.0f} ms of {self._encoding} could be decoded")

    def _resample(self, samples: NDArray[np.int16], rate_hz: int) -> NDArray[np.int16]:
        rest = _NOTHING
        if rate_hz != self._rate_hz:
            rest = self._resample_rest()
            self._rate_hz = rate_hz
            self._resampler = None if rate_hz == ENGINE_SAMPLE_RATE_HZ else Resampler(rate_hz)
        new = samples if self._resampler is None else self._resampler.resample(samples)
        return np.concatenate([rest, new])

    def _resample_rest(self) -> NDArray[np.int16]:
        resampler, self._resampler = self._resampler, None
        return _NOTHING if resampler is None else resampler.flush()


def _fit(samples: NDArray[np.int16], packet: Packet, rate_hz: int) -> NDArray[np.int16]:
    """As many samples as the packet says, without those that are no audio. A decoder may give another rate than the
    packet has: that of AAC with spectral band replication is twice as high."""
    count, skip, trim = (
        part * rate_hz // packet.rate_hz for part in (packet.sample_count, packet.skip_count, packet.trim_count)
    )
    whole = np.zeros(count, dtype=np.int16)
    whole[: len(samples)] = samples[:count]
    return whole[skip : max(skip, count - trim)]
