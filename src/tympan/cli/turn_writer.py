"""Turns as they settle → standard output or a file, valid after each of them, in any format. Shell: writes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from tympan.cli.errors import OutputError
from tympan.cli.output import print_result
from tympan.cli.subtitles import SubtitleWriter
from tympan.cli.transcript import SpokenTurn, TranscriptFormat, turn_object


class TurnWriter:
    """Text and JSON have a line for each turn; subtitles get its cues. What is written is written at once. The file
    is created by `begin`, so that what can't begin leaves an older one alone.

    Raises:
        OutputError: the file can't be written, now or later.
    """

    def __init__(self, kind: TranscriptFormat, target: Path | None) -> None:
        self._kind = kind
        self._target = target
        self._subtitles = SubtitleWriter(kind.value) if kind.is_subtitles else None
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def begin(self) -> None:
        """Turns will come."""
        if self._target is not None:
            try:
                self._file = self._target.open("w", encoding="utf-8")
            except OSError as error:
                raise self._failure(error) from error
        if self._subtitles is not None:
            self._write(self._subtitles.header())

    def turn(self, turn: SpokenTurn) -> None:
        """A turn has settled."""
        if self._subtitles is not None:
            self._write(self._subtitles.receive_turn(turn.words))
        elif self._kind is TranscriptFormat.JSON:
            self._write(json.dumps(turn_object(turn), ensure_ascii=False) + "\n")
        else:
            self._write(f"{turn.text}\n")

    def _write(self, text: str) -> None:
        if self._target is None:
            print_result(text)
        elif self._file is not None:
            try:
                self._file.write(text)
                self._file.flush()
            except OSError as error:
                broken, self._file = self._file, None
                with suppress(OSError):  # what is left in its buffer fails again
                    broken.close()
                raise self._failure(error) from error

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self._target}: {(error.strerror or str(error)).lower()}")
