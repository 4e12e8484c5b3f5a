"""Audio as it is captured → a WAV file, valid after each chunk. Shell: writes."""

from __future__ import annotations

import wave
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tympan.cli.errors import OutputError


class Recorder:
    """Takes mono PCM16. The file is created by `begin`, so that what can't begin leaves an older one alone; without
    a target audio goes nowhere.

    Raises:
        OutputError: the file can't be written, now or later.
    """

    def __init__(self, target: Path | None) -> None:
        self._target = target
        self._file: BinaryIO | None = None
        self._wave: wave.Wave_write | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def begin(self, sample_rate_hz: int) -> None:
        if self._target is None:
            return
        try:
            self._file = self._target.open("wb")
        except OSError as error:
            raise self._failure(error) from error
        self._wave = wave.Wave_write(self._file)
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(sample_rate_hz)

    def record(self, chunk: bytes) -> None:
        if self._wave is None or self._file is None:
            return
        try:
            self._wave.writeframes(chunk)  # corrects the length in the header each time
            self._file.flush()
        except OSError as error:
            self._close()
            raise self._failure(error) from error

    def _close(self) -> None:
        written, file, self._wave, self._file = self._wave, self._file, None, None
        with suppress(OSError):  # all that was recorded has been flushed, or its failure told
            if written is not None:
                written.close()
        with suppress(OSError):
            if file is not None:
                file.close()

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self._target}: {(error.strerror or str(error)).lower()}")
