"""What `tympan listen` shows of a conversation: captions that live on a terminal, or nothing but notes.

Rules: results don't come from here, they are written by `TurnWriter`; only where those go to a file or a pipe are
settled turns shown here as well. Lines are never wider than the terminal, and never taller.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from tympan.cli.gauges import QUIET_DBFS, meter
from tympan.cli.legible import legible
from tympan.core.units import StreamMs
from tympan.wire.v3.messages import Turn

_METER_CELLS = 12
_MAX_CAPTION_LINES = 6
_REFRESH_S = 0.08

_ROOM_FOR_CTRL_C = 5
"""Terminals echo ^C, twice if it is pressed twice; on a full line that would break it, and leave it behind."""


class Screen(Protocol):
    """Where a conversation is watched."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def state(self, text: str) -> None:
        """What is going on, in a few words."""

    def heard(self, level_dbfs: float, until_ms: StreamMs, delay_ms: int | None) -> None:
        """Audio was captured until there, that loud; words appear that much after they end."""

    def caption(self, turn: Turn | None) -> None:
        """What the open turn reads like; None without one."""

    def turn(self, text: str) -> None:
        """A turn has settled."""

    def note(self, text: str) -> None:
        """Something that the user should know."""


class PlainScreen:
    """No control codes: notes on standard error, and nothing else."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def state(self, text: str) -> None:
        pass

    def heard(self, level_dbfs: float, until_ms: StreamMs, delay_ms: int | None) -> None:
        pass

    def caption(self, turn: Turn | None) -> None:
        pass

    def turn(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        print(f"tympan: {legible(text)}", file=sys.stderr, flush=True)


class LiveScreen:
    """Below what has settled: the open turn, over several lines if it is long, and a line of gauges."""

    def __init__(self, console: Console, *, shows_turns: bool) -> None:
        self._console = console
        self._shows_turns = shows_turns
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            # Results on the same terminal must go through the live part; those into a pipe must not.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._state = ""
        self._caption = Text()
        self._level_dbfs = QUIET_DBFS
        self._until_ms = StreamMs(0)
        self._delay_ms: int | None = None
        self._shown_at_s = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def state(self, text: str) -> None:
        self._state = text
        self._show()

    def heard(self, level_dbfs: float, until_ms: StreamMs, delay_ms: int | None) -> None:
        self._level_dbfs, self._until_ms, self._delay_ms = level_dbfs, until_ms, delay_ms
        if time.monotonic() - self._shown_at_s >= _REFRESH_S:
            self._show()

    def caption(self, turn: Turn | None) -> None:
        caption = Text()
        for word in turn.words if turn is not None else ():
            caption.append(legible(word.text) + " ", style="" if word.word_is_final else "dim italic")
        if caption != self._caption:
            self._caption = caption
            self._show()

    def turn(self, text: str) -> None:
        if self._shows_turns:
            self._console.print(Text(text))

    def note(self, text: str) -> None:
        self._console.print(Text(f"tympan: {legible(text)}", style="yellow"))

    def _show(self) -> None:
        self._shown_at_s = time.monotonic()
        lines = self._caption.wrap(self._console, max(1, self._console.width - 1))
        kept = max(1, min(_MAX_CAPTION_LINES, self._console.height - 3))
        self._live.update(Group(*lines[-kept:], self._gauges()), refresh=True)

    def _gauges(self) -> Text:
        lit, unlit = ("█", "░") if self._console.encoding.startswith("utf") else ("#", ".")
        cells = meter(self._level_dbfs, _METER_CELLS)
        colour = "red" if self._level_dbfs > -1 else "green"
        minutes, seconds = divmod(self._until_ms // 1000, 60)
        gauges = Text(no_wrap=True, overflow="crop", end="")
        gauges.append(f"{minutes:02d}:{seconds:02d} ", style="dim")
        gauges.append(lit * cells, style=colour).append(unlit * (_METER_CELLS - cells), style="dim")
        if self._delay_ms is not None:
            gauges.append(f" delay {self._delay_ms / 1000:.1f} s", style="dim")
        gauges.append(f" {self._state}", style="dim")
        gauges.truncate(max(1, self._console.width - _ROOM_FOR_CTRL_C))
        return gauges


def open_screen(*, results_are_elsewhere: bool) -> Screen:
    """A live screen where there is a terminal; else a plain one. `results_are_elsewhere`: in a file."""
    file = sys.stderr if sys.stderr.isatty() else sys.stdout
    console = Console(file=file)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainScreen()
    return LiveScreen(console, shows_turns=results_are_elsewhere or not sys.stdout.isatty())
