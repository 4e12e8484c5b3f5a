"""What is given on a command line → a source: a file, or standard input for `-`. Shell: opens files."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tympan.cli.errors import needs_extra
from tympan.client.paced_source import REAL_TIME, PacedSource
from tympan.client.pipe_source import STDIN_NAME, PipeSource
from tympan.client.raw_audio import MAX_RATE_HZ, MIN_RATE_HZ, RawFormat
from tympan.client.sources import AudioFile, open_audio, pcm_chunks
from tympan.core.audio import AudioFormat
from tympan.core.errors import MediaError
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a source gives its audio; `speed` None is as fast as it is taken."""

    speed: float | None = REAL_TIME
    head_start_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class OpenInput:
    """A source that is open, what it is called, and how long it is if that is known."""

    source: PacedSource
    name: str
    duration_ms: float | None


@asynccontextmanager
async def open_input(path: Path, raw_format: RawFormat, pace: Pace, *, is_remote: bool) -> AsyncIterator[OpenInput]:
    """Open what was given. A service takes only rates that the protocol knows; an engine here takes all.

    Raises:
        MediaError: it can't be read.
    """
    if path == STDIN:
        pipe = PipeSource(_stdin_fd(), raw_format)
        await pipe.begin()
        _check_rate(pipe.sample_rate_hz)
        source = PacedSource(pipe, pipe.sample_rate_hz, speed=pace.speed, head_start_ms=pace.head_start_ms)
        yield OpenInput(source, STDIN_NAME, None)
        return
    with open_audio(path) as audio:
        duration_ms = audio.frame_count * 1000 / audio.sample_rate_hz
        rate_hz, chunks = _service_audio(audio) if is_remote else (audio.sample_rate_hz, pcm_chunks(audio))
        source = PacedSource(chunks, rate_hz, speed=pace.speed, head_start_ms=pace.head_start_ms)
        yield OpenInput(source, str(path), duration_ms)


def _stdin_fd() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError) as error:
        raise MediaError(f"{STDIN_NAME}: it is closed; expected audio") from error


def _check_rate(rate_hz: int) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise MediaError(f"{STDIN_NAME}: {rate_hz} Hz; expected {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz")


def _service_audio(audio: AudioFile) -> tuple[int, Iterator[bytes]]:
    """The file's audio at a rate that the protocol knows: its own one where possible."""
    if MIN_RATE_HZ <= audio.sample_rate_hz <= MAX_RATE_HZ:
        return audio.sample_rate_hz, pcm_chunks(audio)
    with needs_extra("media"):
        from tympan.dsp.decode import PcmDecoder  # noqa: PLC0415  (needs numpy, which few files do)
        from tympan.dsp.pcm import encode_pcm16  # noqa: PLC0415
    decoder = PcmDecoder(AudioFormat(sample_rate_hz=audio.sample_rate_hz))

    def resampled() -> Iterator[bytes]:
        for chunk in pcm_chunks(audio):
            yield encode_pcm16(decoder.decode(chunk))
        yield encode_pcm16(decoder.flush())

    return ENGINE_SAMPLE_RATE_HZ, resampled()
