"""Audio from a pipe, as it comes: raw PCM of a known format, or a WAV file that says its own.

Rules:
- The first bytes decide: a RIFF header is read and obeyed, the known beginnings of compressed files are refused
  with what to do, all else is raw audio.
- Reading waits for the pipe on the event loop, without a thread, so it can be stopped at any time.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator

from tympan.client.raw_audio import MAX_CHANNELS, MonoChunks, RawFormat, read_wav_header
from tympan.core.errors import MediaError

STDIN_NAME = "standard input"

_READ_BYTES = 65_536
_MAX_HEADER_BYTES = 1_048_576
_COMPRESSED = {b"fLaC": "FLAC", b"OggS": "OGG", b"ID3": "MP3", b"\x1aE\xdf\xa3": "WebM", b"FORM": "AIFF"}


class PipeSource:
    """An open pipe; `begin` comes first, since the sample rate may stand in the pipe."""

    def __init__(self, fd: int, raw_format: RawFormat, name: str = STDIN_NAME) -> None:
        self._fd = fd
        self._name = name
        self._format = raw_format
        self._head = b""  # read and not given yet
        self._left: int | None = None  # bytes of audio, where a header says it
        self._is_closed = False
        self._waiting: asyncio.Future[bool] | None = None  # true: something is there

    @property
    def sample_rate_hz(self) -> int:
        return self._format.sample_rate_hz

    async def begin(self) -> None:
        """Wait for the first bytes, and read the header if they are one.

        Raises:
            MediaError: nothing came, or audio that can't be read from a pipe.
        """
        while len(self._head) < 4 and (piece := await self._read()):
            self._head += piece
        if not self._head:
            raise MediaError(f"{self._name}: no audio came")
        for magic, kind in _COMPRESSED.items():
            if self._head.startswith(magic):
                raise MediaError(
                    f"{self._name}: {kind} can't be read from a pipe; give the file's name, "
                    "or pipe WAV or raw PCM (ffmpeg -i FILE -f wav -)"
                )
        if self._head.startswith(b"RIFF"):
            await self._read_header()

    async def close(self) -> None:
        """No more is read. What was read already is still given. Idempotent; the pipe itself stays open."""
        self._is_closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(False)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = MonoChunks(self._format)
        piece, self._head = self._head, b""
        piece = piece or await self._read()
        while piece:
            if self._left is not None:
                piece = piece[: self._left]
                self._left -= len(piece)
            for chunk in chunks.receive(piece):
                yield chunk
            piece = b"" if self._left == 0 else await self._read()
        for chunk in chunks.close():
            yield chunk

    async def _read_header(self) -> None:
        while True:
            stream = io.BytesIO(self._head)
            try:
                header = read_wav_header(stream)
                break
            except EOFError:
                piece = await self._read()
                if not piece or len(self._head) > _MAX_HEADER_BYTES:
                    raise MediaError(f"{self._name}: the WAV header is damaged, or ends too early") from None
                self._head += piece
        raw_format = header.raw_format() if header is not None else None
        if header is None or raw_format is None:
            raise MediaError(
                f"{self._name}: only WAV with 16-bit or mu-law samples of up to {MAX_CHANNELS} channels can be read "
                "from a pipe; "
                "give the file's name, or convert it (ffmpeg -i FILE -c:a pcm_s16le -f wav -)"
            )
        self._format, self._left = raw_format, header.audio_bytes
        self._head = self._head[stream.tell() :]

    async def _read(self) -> bytes:
        """What is there, once something is; empty at the end and after `close`."""
        if self._is_closed:
            return b""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        try:
            loop.add_reader(self._fd, _resolve, self._waiting)
        except PermissionError:  # a plain file: always there
            return os.read(self._fd, _READ_BYTES)
        except NotImplementedError:  # the event loop of Windows waits for no pipe
            return await asyncio.to_thread(os.read, self._fd, _READ_BYTES)
        try:
            is_there = await self._waiting
        finally:
            loop.remove_reader(self._fd)
        return os.read(self._fd, _READ_BYTES) if is_there else b""


def _resolve(waiting: asyncio.Future[bool]) -> None:
    if not waiting.done():
        waiting.set_result(True)
