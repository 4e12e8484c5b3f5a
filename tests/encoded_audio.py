"""Audio as other software would send it: encoded by FFmpeg's encoders, through PyAV."""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""Mono, or one row a channel; at 16 kHz unless a rate is given."""


def ogg_opus(samples: Samples, *, rate_hz: int = 16_000, **options: str) -> bytes:
    """An Ogg stream, as from `ffmpeg -c:a libopus -f ogg`."""
    return _encode(samples, "ogg", "libopus", rate_hz, options)


def aac(samples: Samples, *, rate_hz: int = 16_000) -> bytes:
    """An ADTS stream, as from `ffmpeg -c:a aac -f adts`."""
    return _encode(samples, "adts", "aac", rate_hz, {})


def opus_packets(samples: Samples, *, rate_hz: int = 16_000, **options: str) -> list[bytes]:
    """Raw Opus packets of 20 ms."""
    return demuxed(ogg_opus(samples, rate_hz=rate_hz, **options), "ogg")


def demuxed(stream: bytes, container: str) -> list[bytes]:
    """The packets that FFmpeg finds."""
    with av.open(io.BytesIO(stream), "r", format=container) as opened:
        return [bytes(packet) for packet in opened.demux(audio=0) if packet.size]


def _encode(samples: Samples, container: str, codec: str, rate_hz: int, options: dict[str, str]) -> bytes:
    rows = np.atleast_2d(samples)
    layout = "mono" if len(rows) == 1 else "stereo"
    out = io.BytesIO()
    with av.open(out, "w", format=container) as opened:
        stream = opened.add_stream(codec, rate=rate_hz, layout=layout, options=options)
        frame = av.AudioFrame.from_ndarray(rows.T.reshape(1, -1).copy(), format="s16", layout=layout)
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            opened.mux(packet)
    return out.getvalue()
