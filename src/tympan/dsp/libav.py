"""FFmpeg's decoders, through PyAV: packets → mono samples. No I/O. Imported on use: it needs the extra `compressed`.

FFmpeg's own log lines go nowhere: PyAV keeps them from standard error unless told otherwise. What they complain about
comes back as an error, which is told in our log at level DEBUG.
"""

from __future__ import annotations

import logging

import av
import numpy as np
from numpy.typing import NDArray

from tympan.core.audio import CompressedEncoding
from tympan.core.packets.packet import Packet
from tympan.dsp.pcm import quantize

logger = logging.getLogger("tympan.dsp")

_DECODERS = {CompressedEncoding.OPUS: "libopus", CompressedEncoding.OGG_OPUS: "libopus", CompressedEncoding.AAC: "aac"}
"""libopus is the codec's own; it mixes stereo down by itself, as every Opus decoder can (RFC 7845, section 5.1.1)."""


class StreamDecoder:
    """One stream of packets; what a packet sounds like depends on those before it."""

    def __init__(self, encoding: CompressedEncoding) -> None:
        codec = av.CodecContext.create(_DECODERS[encoding], "r")
        assert isinstance(codec, av.AudioCodecContext)
        codec.thread_count = 1
        if encoding is not CompressedEncoding.AAC:
            codec.layout = "mono"
        self._codec = codec

    def decode(self, packet: Packet) -> tuple[NDArray[np.int16], int] | None:
        """Mono samples and their rate; None where the packet can't be decoded."""
        try:
            frames = self._codec.decode(av.Packet(packet.payload))
        except av.FFmpegError as error:
            logger.debug("a packet can't be decoded", extra={"why": str(error)})
            return None
        if not frames:
            return None
        samples = np.concatenate([_mono(frame) for frame in frames])
        if packet.gain_db:
            samples = samples * np.float32(10 ** (packet.gain_db / 20))
        return quantize(samples), frames[-1].sample_rate


def _mono(frame: av.AudioFrame) -> NDArray[np.float32]:
    """The mean of all channels, -1 to 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype == np.int16:
        samples = samples.astype(np.float32) / np.float32(32768)
    mean: NDArray[np.float32] = samples.mean(axis=0, dtype=np.float32)
    return mean
