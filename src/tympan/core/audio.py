"""What the client's bytes are, and how long they last. PURE: standard library only.

How long compressed audio lasts only its packets tell: see `core.packets` and `core.received`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tympan.core.units import StreamMs, sample_count, stream_ms


class Encoding(StrEnum):
    """Raw encodings: one sample has a fixed number of bytes."""

    PCM_S16LE = "pcm_s16le"
    PCM_MULAW = "pcm_mulaw"


class CompressedEncoding(StrEnum):
    """Encodings whose streams tell themselves what they hold."""

    OPUS = "opus"
    """One Opus packet a message."""
    OGG_OPUS = "ogg_opus"
    """A byte stream, cut anywhere."""
    AAC = "aac"
    """A byte stream with ADTS headers, cut anywhere."""


_BYTES_PER_SAMPLE = {Encoding.PCM_S16LE: 2, Encoding.PCM_MULAW: 1}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Raw mono audio as the client sends it."""

    encoding: Encoding = Encoding.PCM_S16LE
    sample_rate_hz: int = 16_000

    @property
    def bytes_per_sample(self) -> int:
        return _BYTES_PER_SAMPLE[self.encoding]

    def duration_ms(self, byte_count: int) -> float:
        """Exact duration of that many bytes (a half sample counts as half)."""
        return byte_count / self.bytes_per_sample * 1000 / self.sample_rate_hz

    def position_ms(self, byte_count: int) -> StreamMs:
        """Stream time after that many bytes since the start, rounded down; whole samples only."""
        return stream_ms(byte_count // self.bytes_per_sample, self.sample_rate_hz)

    def byte_position(self, position_ms: StreamMs) -> int:
        """Where the last sample starts that starts no later than this stream time."""
        return sample_count(position_ms, self.sample_rate_hz) * self.bytes_per_sample


@dataclass(frozen=True, slots=True)
class CompressedFormat:
    """Compressed audio as the client sends it; rate and channels are what its packets say."""

    encoding: CompressedEncoding


SessionAudio = AudioFormat | CompressedFormat
