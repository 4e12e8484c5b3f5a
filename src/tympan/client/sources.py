"""Audio files → mono PCM16 chunks, and when each chunk is due. May not import numpy.

Rules:
- A WAV file with 16-bit samples is read with the standard library, so the base install can send it. Every
  other format is read by libsndfile through `soundfile`, imported when such a file is opened; its arrays are
  used through their own methods.
- Channels are averaged. The file's own sample rate is kept: the service resamples.
- Whatever is wrong with a file is a MediaError of one line that names the file.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Protocol

from tympan.client.raw_audio import CHUNK_MS, MAX_CHANNELS, mix_to_mono, read_wav_header
from tympan.core.errors import MediaError
from tympan.core.units import Monotonic

MIN_FILE_RATE_HZ, MAX_FILE_RATE_HZ = 1_000, 768_000
"""Far beyond both ends of what recorders make: a header that says something else is damaged, and obeying it would
take memory or time without end."""

_LOUDEST = 1e6
"""Times full scale: floats beyond are damage, and would overflow where channels are averaged."""


class AudioFile(Protocol):
    """An open audio file, read once from start to end."""

    sample_rate_hz: int
    channels: int
    frame_count: int
    """Samples of one channel, as the file declares them; 0 when it doesn't."""

    def read(self, frames: int) -> bytes:
        """The next frames as mono PCM16, little-endian; fewer at the end, none after it.

        Raises:
            MediaError: the file is damaged here.
        """


@contextmanager
def open_audio(path: Path) -> Iterator[AudioFile]:
    """Open an audio file of any format that libsndfile knows.

    Raises:
        MediaError: missing, unreadable, empty, cut short, not audio, or `soundfile` isn't installed.
    """
    with _opened(path) as stream:
        if _is_plain_wav(path, stream):
            with _wave(path, stream) as reader:
                yield _checked(path, _WaveFile(reader))
        else:
            with _soundfile(path, stream) as reader:
                yield _checked(path, _SoundFile(path, reader))


def pcm_chunks(audio: AudioFile, *, chunk_ms: int = CHUNK_MS) -> Iterator[bytes]:
    """The whole file as mono PCM16 chunks; the last one may be shorter.

    Raises:
        MediaError: the file is damaged or ends early.
    """
    frames = max(1, audio.sample_rate_hz * chunk_ms // 1000)
    while payload := audio.read(frames):
        yield payload


@dataclass(frozen=True, slots=True)
class Pacing:
    """When audio may be sent: as from a live microphone, or at `speed` times that pace after a head start.

    At `started`, what comes before `from_ms` (and the head start after it) may be sent already.
    """

    started: Monotonic
    speed: float = 1.0
    head_start_ms: float = 0.0
    from_ms: float = 0.0

    def delay_s(self, sent_until_ms: float, now: Monotonic) -> float:
        """Seconds to wait before sending a chunk that ends at that time of the audio; never negative.

        A microphone delivers a chunk when its last sample has been recorded.
        """
        due_s = max(0.0, sent_until_ms - self.from_ms - self.head_start_ms) / 1000 / self.speed
        return max(0.0, self.started + due_s - now)

    def granted(self, heard_until_ms: float, now: Monotonic) -> Pacing:
        """The pace from now on, when the other side has heard that much: its head start is after that."""
        paced_ms = self.from_ms + (now - self.started) * 1000 * self.speed
        return replace(self, started=now, from_ms=max(paced_ms, heard_until_ms))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if path.is_dir():
            raise MediaError(f"{path}: this is a directory, expected an audio file")
        stream = path.open("rb")
    except OSError as error:
        raise MediaError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    with stream:
        if not stream.read(1):
            raise MediaError(f"{path}: the file is empty")
        stream.seek(0)
        yield stream


def _is_plain_wav(path: Path, stream: BinaryIO) -> bool:
    """16-bit PCM in a complete RIFF file. Raises MediaError when a WAV file is damaged or cut short."""
    try:
        header = read_wav_header(stream)
    except EOFError as error:
        raise MediaError(f"{path}: the WAV file is damaged: its header ends too early") from error
    present = path.stat().st_size - stream.tell()
    stream.seek(0)
    if header is None:
        return False
    if header.audio_bytes is not None and present < header.audio_bytes:
        raise MediaError(
            f"{path}: the file is cut short: {present} bytes of audio are there, "
            f"its header promises {header.audio_bytes}"
        )
    return header.is_pcm16 and header.audio_bytes is not None


def _checked(path: Path, audio: AudioFile) -> AudioFile:
    if not MIN_FILE_RATE_HZ <= audio.sample_rate_hz <= MAX_FILE_RATE_HZ:
        raise MediaError(
            f"{path}: its sample rate is {audio.sample_rate_hz} Hz, expected {MIN_FILE_RATE_HZ} to "
            f"{MAX_FILE_RATE_HZ} Hz; the file may be damaged"
        )
    if audio.channels > MAX_CHANNELS:
        raise MediaError(
            f"{path}: it has {audio.channels} channels, expected {MAX_CHANNELS} at most; the file may be damaged"
        )
    if audio.frame_count < 1:
        raise MediaError(f"{path}: the file holds no audio")
    return audio


def _wave(path: Path, stream: BinaryIO) -> wave.Wave_read:
    try:
        return wave.open(stream, "rb")
    except (wave.Error, EOFError) as error:
        raise MediaError(f"{path}: the WAV file is damaged: {str(error) or 'it ends too early'}") from error


def _soundfile(path: Path, stream: BinaryIO) -> Any:
    """libsndfile's reader; soundfile is untyped."""
    soundfile = _load_soundfile(path)
    try:
        reader = soundfile.SoundFile(_SteadyStream(stream))
    except soundfile.SoundFileError as error:
        # libsndfile's own reason is often beside the point: "file does not exist" for what merely isn't an MP3.
        raise MediaError(f"{path}: no audio that can be read; expected WAV, FLAC, OGG or MP3") from error
    # soundfile seeks to where it is after each read, which in MP3 files breaks the sound at that place.
    reader.seekable = lambda: False
    return reader


def _load_soundfile(path: Path) -> ModuleType:
    try:
        return import_module("soundfile")
    except (ImportError, OSError) as error:
        raise MediaError(
            f"{path}: only WAV files with 16-bit samples can be read without soundfile; "
            'install it with: pip install "tympan[media]"'
        ) from error


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", str(error))
    return str(text).removeprefix("Error : ").rstrip(". ").lower()


class _WaveFile:
    """16-bit WAV through the standard library."""

    def __init__(self, reader: wave.Wave_read) -> None:
        self._reader = reader
        self.channels = reader.getnchannels()
        self.sample_rate_hz = reader.getframerate()
        self.frame_count = reader.getnframes()

    def read(self, frames: int) -> bytes:
        payload = self._reader.readframes(frames)
        payload = payload[: len(payload) - len(payload) % (2 * self.channels)]
        return payload if self.channels == 1 else mix_to_mono(payload, self.channels)


class _SteadyStream:
    """A file for libsndfile, whose calls can't carry an exception: it stays where it is when a damaged header wants
    it at a place that no file has."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.read = stream.read
        self.tell = stream.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        with suppress(OSError, ValueError):
            self._stream.seek(offset, whence)
        return self.tell()


class _SoundFile:
    """Everything else through libsndfile, as floats: its 16-bit reading doesn't scale float files."""

    def __init__(self, path: Path, reader: Any) -> None:
        self._path = path
        self._reader = reader
        self._errors: type[Exception] = _load_soundfile(path).SoundFileError
        self._frames_read = 0
        self.sample_rate_hz: int = reader.samplerate
        self.channels: int = reader.channels
        self.frame_count: int = reader.frames

    def read(self, frames: int) -> bytes:
        try:
            samples = self._reader.read(frames, dtype="float32", always_2d=True)
        except self._errors as error:
            at_s = self._frames_read / self.sample_rate_hz
            raise MediaError(f"{self._path}: damaged after {at_s:.1f} s: {_reason(error)}") from error
        self._frames_read += len(samples)
        if not len(samples):
            self._check_length()
        samples[samples != samples] = 0  # no number is no sound
        mono = samples.clip(-_LOUDEST, _LOUDEST).mean(axis=1)
        scaled = (mono * 32768).round().clip(-32768, 32767)
        payload: bytes = scaled.astype("<i2").tobytes()
        return payload

    def _check_length(self) -> None:
        """A file that ends early is cut short. Compressed files may declare a little more than they hold."""
        missing = self.frame_count - self._frames_read
        if missing > max(self.frame_count // 100, self.sample_rate_hz // 10):
            present_s = self._frames_read / self.sample_rate_hz
            promised_s = self.frame_count / self.sample_rate_hz
            raise MediaError(
                f"{self._path}: the file is cut short: {present_s:.1f} s of audio are there, "
                f"it promises {promised_s:.1f} s"
            )
