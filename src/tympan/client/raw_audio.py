"""Raw audio and WAV headers: bytes cut anywhere → mono PCM16 chunks. No I/O but reading a header; no numpy.

Rules:
- Channels are averaged, rounded down. The sample rate is kept.
- A chunk is CHUNK_MS long; the last one may be shorter. Bytes that make no whole frame at the end are dropped:
  there is no sound in them.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from typing import BinaryIO

from tympan.core.audio import Encoding
from tympan.core.units import sample_count

CHUNK_MS = 50
"""The shortest chunk that the hosted service takes: the least delay."""

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 96_000
"""What the protocol accepts (protocol reference, section 2.1)."""

MAX_CHANNELS = 64
"""More than recorders have. A header that says more is damaged, and 50 ms of it would take hundreds of megabytes."""

_UNKNOWN_LENGTH = 0x7FFF_0000
"""Writers to a pipe don't know the length and put the largest number here; some put 0."""

_WAV_PCM, _WAV_MULAW, _WAV_EXTENSIBLE = 1, 7, 0xFFFE
_MULAW_BIAS = 0x84  # G.711, on the 16-bit scale


@dataclass(frozen=True, slots=True)
class RawFormat:
    """What bytes without a header are; samples of the channels take turns."""

    sample_rate_hz: int = 16_000
    channels: int = 1
    encoding: Encoding = Encoding.PCM_S16LE

    @property
    def bytes_per_frame(self) -> int:
        """One sample of each channel."""
        return self.channels * (1 if self.encoding is Encoding.PCM_MULAW else 2)


class MonoChunks:
    """Bytes in, cut anywhere; mono PCM16 chunks out."""

    def __init__(self, raw_format: RawFormat) -> None:
        self._format = raw_format
        frames = max(1, sample_count(CHUNK_MS, raw_format.sample_rate_hz))
        self._chunk_bytes = frames * raw_format.bytes_per_frame
        self._kept = b""

    def receive(self, payload: bytes) -> list[bytes]:
        """The chunks that are full now."""
        self._kept += payload
        end = len(self._kept) - len(self._kept) % self._chunk_bytes
        full, self._kept = self._kept[:end], self._kept[end:]
        return [self._mono(full[at : at + self._chunk_bytes]) for at in range(0, end, self._chunk_bytes)]

    def close(self) -> list[bytes]:
        """The last chunk, if there is one. Idempotent."""
        end = len(self._kept) - len(self._kept) % self._format.bytes_per_frame
        rest, self._kept = self._kept[:end], b""
        return [self._mono(rest)] if rest else []

    def _mono(self, payload: bytes) -> bytes:
        samples = decode_mulaw(payload) if self._format.encoding is Encoding.PCM_MULAW else payload
        return samples if self._format.channels == 1 else mix_to_mono(samples, self._format.channels)


def mix_to_mono(payload: bytes, channels: int) -> bytes:
    """Average of the channels of interleaved 16-bit samples, rounded down."""
    samples = array("h", payload)
    by_channel = [samples[index::channels] for index in range(channels)]
    return array("h", [sum(frame) // channels for frame in zip(*by_channel, strict=True)]).tobytes()


def decode_mulaw(payload: bytes) -> bytes:
    """G.711 µ-law → PCM16: one sample a byte, −32124 to 32124."""
    return array("h", map(_MULAW.__getitem__, payload)).tobytes()


def _mulaw_sample(byte: int) -> int:
    """The complement of sign (1 bit), exponent (3 bits) and mantissa (4 bits)."""
    code = ~byte
    magnitude = ((((code & 0x0F) << 3) + _MULAW_BIAS) << (code >> 4 & 0x07)) - _MULAW_BIAS
    return -magnitude if code & 0x80 else magnitude


_MULAW = tuple(map(_mulaw_sample, range(256)))


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What stands before the audio of a WAV file; `audio_bytes` is None where the writer didn't know it."""

    encoding: int
    bits: int
    channels: int
    sample_rate_hz: int
    audio_bytes: int | None

    @property
    def is_pcm16(self) -> bool:
        return (self.encoding, self.bits) == (_WAV_PCM, 16)

    def raw_format(self) -> RawFormat | None:
        """The audio as raw audio; None when its encoding isn't one of those."""
        if not 1 <= self.channels <= MAX_CHANNELS or self.sample_rate_hz < 1:
            return None
        if self.bits == 16 and self.encoding in (_WAV_PCM, _WAV_EXTENSIBLE):
            return RawFormat(self.sample_rate_hz, self.channels)
        if (self.encoding, self.bits) == (_WAV_MULAW, 8):
            return RawFormat(self.sample_rate_hz, self.channels, Encoding.PCM_MULAW)
        return None


def read_wav_header(stream: BinaryIO) -> WavHeader | None:
    """The header, read up to the audio; None when it is no WAV file.

    Raises:
        EOFError: the header ends too early.
    """
    head = stream.read(12)
    if not head.startswith(b"RIFF"):
        return None
    if len(head) < 12:
        raise EOFError
    if head[8:] != b"WAVE":
        return None
    encoding = channels = rate_hz = bits = 0
    while True:
        name, length = struct.unpack("<4sI", _exactly(stream, 8))
        if name == b"data":
            is_known = 0 < length < _UNKNOWN_LENGTH
            return WavHeader(encoding, bits, channels, rate_hz, length if is_known else None)
        start = stream.tell()
        if name == b"fmt ":
            encoding, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", _exactly(stream, 16))
        stream.seek(start + length + length % 2)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data
