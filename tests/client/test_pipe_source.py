"""Audio from a pipe: raw, or a WAV file that says what it is; what can't be read says what to do."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import wave
from pathlib import Path

import pytest

from tympan.client.pipe_source import PipeSource
from tympan.client.raw_audio import RawFormat
from tympan.core.errors import MediaError

AUDIO = bytes(range(256)) * 40


def wav(audio: bytes = AUDIO, *, rate_hz: int = 22_050, channels: int = 1, width: int = 2) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(audio)
    return stream.getvalue()


def heard(content: bytes, raw_format: RawFormat | None = None, *, piece_bytes: int = 60_000) -> tuple[int, bytes]:
    """What a pipe gives when somebody writes this into it, piece by piece."""
    reading, writing = os.pipe()

    def write() -> None:
        for at in range(0, len(content), piece_bytes):
            os.write(writing, content[at : at + piece_bytes])
        os.close(writing)

    async def listen() -> tuple[int, bytes]:
        source = PipeSource(reading, raw_format or RawFormat())
        await source.begin()
        return source.sample_rate_hz, b"".join([chunk async for chunk in source])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return asyncio.run(listen())
    finally:
        os.close(reading)
        writer.join()


def test_raw_audio_is_what_it_is_said_to_be() -> None:
    assert heard(AUDIO, RawFormat(48_000)) == (48_000, AUDIO)


@pytest.mark.parametrize("piece_bytes", [1, 7, 60_000])
def test_a_wav_file_says_its_own_format(piece_bytes: int) -> None:
    assert heard(wav()[:600], piece_bytes=piece_bytes) == (22_050, AUDIO[:556])


def test_what_follows_the_audio_of_a_wav_file_is_not_heard() -> None:
    assert heard(wav() + b"LIST\x04\0\0\0abcd") == (22_050, AUDIO)


def test_a_wav_file_of_unknown_length_is_heard_to_its_end() -> None:
    content = bytearray(wav())
    content[40:44] = b"\xff\xff\xff\xff"
    assert heard(bytes(content)) == (22_050, AUDIO)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "standard input: no audio came"),
        (b"fLaC rest of it", "FLAC can't be read from a pipe; give the file's name"),
        (b"OggS", "OGG can't be read"),
        (b"ID3\x04", "MP3 can't be read"),
        (b"RIFF\0\0", "the WAV header is damaged"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(100), "only WAV with 16-bit or mu-law samples"),
        (wav(width=3), "only WAV with 16-bit or mu-law samples"),
    ],
)
def test_what_cannot_be_read_from_a_pipe_says_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        heard(content)


def test_closing_ends_the_wait_for_a_pipe_that_nobody_writes_to() -> None:
    reading, writing = os.pipe()

    async def listen() -> list[bytes]:
        source = PipeSource(reading, RawFormat())
        os.write(writing, AUDIO[:400])
        await source.begin()
        asyncio.get_running_loop().call_later(0.01, lambda: asyncio.ensure_future(source.close()))
        async with asyncio.timeout(60):
            return [chunk async for chunk in source]

    try:
        assert asyncio.run(listen()) == [AUDIO[:400]]
    finally:
        os.close(reading)
        os.close(writing)


def test_a_plain_file_as_standard_input_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(AUDIO)

    async def listen(fd: int) -> bytes:
        source = PipeSource(fd, RawFormat())
        await source.begin()
        return b"".join([chunk async for chunk in source])

    with path.open("rb") as file:
        assert asyncio.run(listen(file.fileno())) == AUDIO
