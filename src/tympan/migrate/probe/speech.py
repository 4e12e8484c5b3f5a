"""The recording that is played: the user's, or the one that the model's package carries. Shell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path

from tympan.client.known_recording import known_recording
from tympan.client.raw_audio import CHUNK_MS
from tympan.client.sources import open_audio, pcm_chunks
from tympan.core.errors import MediaError

_UNTIL_MS = 13_100
_TEXT = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity."
)
"""The opening of A Tale of Two Cities, up to a pause; the whole recording lasts 44 s."""

_TRAILING_SILENCE_MS = 1_500
"""After the audio, so that its last turn ends by itself: above the default of `max_turn_silence`."""

_MIN_RATE_HZ, _MAX_RATE_HZ = 8_000, 96_000
"""What the protocol accepts (protocol reference, section 2.1)."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Mono PCM16 with what is said in it; `text` is None when nobody told."""

    name: str
    rate_hz: int
    chunks: tuple[bytes, ...]
    text: str | None

    def with_silence(self) -> Iterator[bytes]:
        """The chunks, and silence in which a last turn ends."""
        silence = b"\0\0" * (self.rate_hz * CHUNK_MS // 1000)
        return chain(self.chunks, (silence for _ in range(_TRAILING_SILENCE_MS // CHUNK_MS)))

    def patiently(self, patience_s: float) -> Iterator[bytes]:
        """The same, and for so long again from its beginning: a service may be slow to tell its words."""
        count = len(self.chunks) + (_TRAILING_SILENCE_MS + round(patience_s * 1000)) // CHUNK_MS
        return islice(cycle(self.with_silence()), count)


def load_speech(path: Path | None, text: Path | None) -> Speech | None:
    """Read what is to be played; None without a file where the model's package isn't installed.

    Raises:
        MediaError: a file can't be read, or the audio's sample rate is none that the protocol knows.
    """
    if path is not None:
        return _read(path, None, None if text is None else _read_text(text))
    known = known_recording()
    return None if known is None else _read(known, _UNTIL_MS, _TEXT)


def _read(path: Path, until_ms: int | None, text: str | None) -> Speech:
    with open_audio(path) as audio:
        if not _MIN_RATE_HZ <= audio.sample_rate_hz <= _MAX_RATE_HZ:
            raise MediaError(
                f"{path}: its sample rate is {audio.sample_rate_hz} Hz, expected "
                f"{_MIN_RATE_HZ} to {_MAX_RATE_HZ} Hz: convert the file"
            )
        chunks = tuple(pcm_chunks(audio))
        kept = chunks if until_ms is None else chunks[: until_ms // CHUNK_MS]
        return Speech(path.name, audio.sample_rate_hz, kept, text)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"{path}: cannot read the text: {error}") from error
