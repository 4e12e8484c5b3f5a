"""How much audio a session has received, in bytes and in time. PURE: standard library only."""

from __future__ import annotations

from collections import Counter
from math import lcm
from typing import Protocol, assert_never

from tympan.core.audio import AudioFormat, CompressedEncoding, CompressedFormat, SessionAudio
from tympan.core.errors import BadAudio
from tympan.core.packets.adts import AdtsFramer
from tympan.core.packets.ogg_opus import OggOpusFramer
from tympan.core.packets.opus import OpusFramer
from tympan.core.packets.packet import Framer
from tympan.core.units import StreamMs

MAX_SPARE_BYTES = 4_194_304
MAX_BYTES_PER_MS = 256
"""Compressed audio has at most 2,048 kbit/s (Opus: 510) and, besides, so many bytes of headers and pictures. What waits
to be judged is bounded in time; this bounds it in bytes."""

MAX_SPARE_MS = 60_000
"""What an encoder puts before the audio, or behind its end, is decoded and doesn't count as audio: some milliseconds a
stream. There may be as much of it as audio, and so much besides; it costs time that no other bound knows of."""


class ReceivedAudio(Protocol):
    """The audio of one session, over all of its connections."""

    @property
    def byte_count(self) -> int:
        """Bytes of all messages that counted."""

    @property
    def position_ms(self) -> StreamMs:
        """Stream time after them, rounded down."""

    def receive(self, payload: bytes, longest_ms: float) -> float:
        """How much audio a message completes, in ms. The message counts, unless that is more than `longest_ms`.

        Raises:
            BadAudio: it isn't what it is said to be, or too damaged.
        """


def received_audio(audio: SessionAudio) -> ReceivedAudio:
    """Nothing yet, in that format."""
    return ReceivedSamples(audio) if isinstance(audio, AudioFormat) else ReceivedPackets(audio)


def framer_of(audio: CompressedFormat) -> Framer:
    """What tells the packets of a format apart."""
    match audio.encoding:
        case CompressedEncoding.OPUS:
            return OpusFramer()
        case CompressedEncoding.OGG_OPUS:
            return OggOpusFramer()
        case CompressedEncoding.AAC:
            return AdtsFramer()
        case _ as unreachable:
            assert_never(unreachable)


class ReceivedSamples:
    """Raw audio: the bytes tell."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._byte_count = 0

    @property
    def byte_count(self) -> int:
        return self._byte_count

    @property
    def position_ms(self) -> StreamMs:
        return self._audio.position_ms(self._byte_count)

    def receive(self, payload: bytes, longest_ms: float) -> float:
        duration_ms = self._audio.duration_ms(len(payload))
        if duration_ms <= longest_ms:
            self._byte_count += len(payload)
        return duration_ms


class ReceivedPackets:
    """Compressed audio: its packets tell. No more of them are looked at than may count."""

    def __init__(self, audio: CompressedFormat) -> None:
        self._framer = framer_of(audio)
        self._byte_count = 0
        self._position_ms = StreamMs(0)
        self._samples: Counter[int] = Counter()  # by their rate: a stream may change it
        self._unheard_ms = 0.0

    @property
    def byte_count(self) -> int:
        return self._byte_count

    @property
    def position_ms(self) -> StreamMs:
        return self._position_ms

    def receive(self, payload: bytes, longest_ms: float) -> float:
        duration_ms = unheard_ms = 0.0
        came: Counter[int] = Counter()
        for packet in self._framer.receive(payload):
            came[packet.rate_hz] += packet.kept_count
            duration_ms += packet.sample_count * 1000 / packet.rate_hz
            unheard_ms += (packet.sample_count - packet.kept_count) * 1000 / packet.rate_hz
            if duration_ms > longest_ms:
                return duration_ms
        if came:
            self._samples.update(came)
            self._position_ms = _duration_ms(self._samples)
        self._byte_count += len(payload)
        self._unheard_ms += unheard_ms
        self._check_bounds()
        return duration_ms

    def _check_bounds(self) -> None:
        if self._unheard_ms > MAX_SPARE_MS + self.position_ms:
            raise BadAudio(
                f"{self._unheard_ms:,.0f} ms are said to be no audio, before its beginning or behind its end; "
                f"expected at most {MAX_SPARE_MS:,} ms besides {self.position_ms:,} ms of audio"
            )
        if self._byte_count > MAX_SPARE_BYTES + MAX_BYTES_PER_MS * self.position_ms:
            raise BadAudio(
                f"expected at most {MAX_BYTES_PER_MS * 8:,} kbit/s and {MAX_SPARE_BYTES:,} bytes besides; "
                f"got {self._byte_count:,} bytes for {self.position_ms:,} ms of audio"
            )


def _duration_ms(samples: Counter[int]) -> StreamMs:
    """Of all rates together, rounded down once."""
    common_hz = lcm(*samples)
    return StreamMs(sum(count * 1000 * (common_hz // rate_hz) for rate_hz, count in samples.items()) // common_hz)
