"""Doors for audio: in messages, raw or compressed, in files and in pipes."""

from __future__ import annotations

import asyncio
import os
import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from door import Door

from tympan.client.pipe_source import PipeSource
from tympan.client.raw_audio import RawFormat
from tympan.client.sources import open_audio, pcm_chunks
from tympan.core.audio import AudioFormat, Encoding
from tympan.core.errors import MediaError, ProtocolError
from tympan.core.packets.adts import AdtsFramer
from tympan.core.packets.ogg_opus import OggOpusFramer
from tympan.core.packets.opus import OpusFramer
from tympan.dsp.decode import PcmDecoder


def ogg_opus(data: bytes, _: Path) -> None:
    _framed(OggOpusFramer(), data)


def adts(data: bytes, _: Path) -> None:
    _framed(AdtsFramer(), data)


def opus(data: bytes, _: Path) -> None:
    _framed(OpusFramer(), data)


def _framed(framer: Any, data: bytes) -> None:
    taken = 0
    for start in range(0, len(data), 50):
        for packet in framer.receive(data[start : start + 50]):
            taken += len(packet.payload)
    assert taken <= len(data)


def pcm(data: bytes, _: Path) -> None:
    _decoded(data, Encoding.PCM_S16LE)


def mulaw(data: bytes, _: Path) -> None:
    _decoded(data, Encoding.PCM_MULAW)


def _decoded(data: bytes, encoding: Encoding) -> None:
    for rate_hz in (8_000, 16_000, 96_000):
        audio = AudioFormat(encoding, rate_hz)
        decoder, count = PcmDecoder(audio), 0
        step = max(7, len(data) // 1000)
        for start in range(0, len(data), step):
            count += len(decoder.decode(data[start : start + step]))
        count += len(decoder.flush())
        assert abs(count - len(data) // audio.bytes_per_sample * 16_000 / rate_hz) <= 2


def transcribed_file(data: bytes, folder: Path) -> None:
    file = folder / "talk.wav"
    file.write_bytes(data)
    with open_audio(file) as audio:
        longest = 2 * audio.sample_rate_hz // 20
        count = 0
        for chunk in pcm_chunks(audio):
            count += len(chunk)
            assert len(chunk) <= longest
            if count > 10_000_000:  # an hour of silence in a few bytes is honest FLAC
                return


def pipe_header(data: bytes, _: Path) -> None:
    async def listen() -> None:
        reading, writing = os.pipe()
        try:
            os.write(writing, data[:60_000])
            os.close(writing)
            pipe = PipeSource(reading, RawFormat(16_000))
            await pipe.begin()
            count = sum([len(chunk) async for chunk in pipe])
            assert count <= 2 * len(data)
        finally:
            os.close(reading)

    asyncio.run(listen())


def _wav(rate_hz: int, channels: int, encoding: int, bits: int, audio: bytes) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", encoding, channels, rate_hz, rate_hz * frame, frame, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(audio)) + audio
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _coded(kind: str, subtype: str) -> bytes:
    """A tenth of a second of audio as libsndfile writes it."""
    file = BytesIO()
    samples = (np.sin(np.arange(1600) / 7) * 0.5).astype("float32")
    soundfile.write(file, samples, 16_000, format=kind, subtype=subtype)
    return file.getvalue()


AUDIO_FILES = (
    _wav(16_000, 1, 1, 16, bytes(800)),
    _wav(8_000, 2, 7, 8, bytes(800)),
    _wav(48_000, 2, 3, 32, bytes(800)),
    _wav(16_000, 1, 0xFFFE, 16, bytes(800)),
    _coded("FLAC", "PCM_16"),
    _coded("OGG", "VORBIS"),
    _coded("MP3", "MPEG_LAYER_III"),
    _coded("AIFF", "PCM_16"),
    _coded("AU", "ULAW"),
    _coded("CAF", "ALAC_16"),
    _coded("W64", "PCM_24"),
)
_OGG = b"".join(
    b"OggS" + struct.pack("<BBqIIIB", 0, flags, granule, 1, number, 0, 1) + bytes([len(packet)]) + packet
    for number, (flags, granule, packet) in enumerate(
        [
            (2, 0, b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)),
            (0, 0, b"OpusTags" + struct.pack("<II", 0, 0)),
            (4, 960, b"\x48" + bytes(60)),
        ]
    )
)

DOORS = (
    Door("Opus packets", opus, (ProtocolError,), (b"\x48" + bytes(60), b"\xfc\xff\xfe"), ()),
    Door(
        "Ogg Opus, cut anywhere",
        ogg_opus,
        (ProtocolError,),
        (_OGG,),
        (
            "tympan.core.packets.ogg:OggPages._open_page",
            "tympan.core.packets.ogg_opus:_read_head",
        ),
    ),
    Door("AAC in ADTS, cut anywhere", adts, (ProtocolError,), ((b"\xff\xf1\x60\x40\x08\x1f\xfc" + bytes(57)) * 3,), ()),
    Door("PCM, in chunks of any length", pcm, (), (bytes(range(64)),), ("tympan.dsp.pcm:decode_pcm16",)),
    Door("mu-law, in chunks of any length", mulaw, (), (bytes(range(64)),), ("tympan.dsp.mulaw:decode_mulaw",)),
    Door(
        "audio file",
        transcribed_file,
        (MediaError,),
        AUDIO_FILES,
        (
            "tympan.client.raw_audio:read_wav_header",
            "tympan.client.sources:_is_plain_wav",
            "tympan.client.sources:_soundfile",
        ),
    ),
    Door(
        "audio in a pipe",
        pipe_header,
        (MediaError,),
        AUDIO_FILES[:4],
        ("tympan.client.pipe_source:PipeSource._read_header",),
        is_slow=True,
    ),
)
