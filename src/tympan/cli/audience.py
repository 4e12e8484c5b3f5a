"""Who watches a transcription: a progress bar on a terminal, and turns as they end. Shell: writes."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from tympan.cli.output import print_result
from tympan.cli.transcript import SpokenTurn, header


class Audience:
    """Standard error gets the progress bar, on a terminal only, and complaints. Standard output gets turns,
    one a line, as they end, when `shows_turns`."""

    def __init__(self, *, shows_turns: bool, has_headers: bool) -> None:
        self._shows_turns = shows_turns
        self._has_headers = has_headers
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
            # Lines on the same terminal must go through the bar; lines into a pipe must not.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, file: str, duration_ms: float | None) -> None:
        """A file is open; that much audio is in it, if it is known."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(file, total=duration_ms)
        if self._shows_turns and self._has_headers:
            print_result(f"{header(file)}\n")

    def sent(self, until_ms: float) -> None:
        """The open file was given to the engine or the server up to there."""
        if self._task is not None:
            self._progress.update(self._task, completed=until_ms)

    def turn(self, turn: SpokenTurn) -> None:
        """A turn has ended."""
        if self._shows_turns:
            print_result(f"{turn.text}\n")

    def complaint(self, text: str) -> None:
        """Something went wrong that doesn't end the command."""
        print(f"tympan: {text}", file=sys.stderr, flush=True)
