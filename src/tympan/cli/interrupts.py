"""Ctrl+C and SIGTERM while an event loop runs: the first one finishes what can be finished, the second ends at once.

with Interrupts() as interrupts:
    await connect()                      # nothing to finish yet: Ctrl+C cancels
    with interrupts.finish_by(stop):     # Ctrl+C calls stop(); a second one cancels
        await talk()
interrupts.has_happened                  # for the exit code
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """What signals do to the task that entered the block."""

    def __init__(self) -> None:
        self.has_happened = False
        self._finish: Callable[[], None] | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        for number in _SIGNALS:
            # Who starts a command with Ctrl+C ignored, as shells do in the background, wants that.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._take(number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)  # type: ignore[arg-type]  # what getsignal gave
        self._previous.clear()

    @contextmanager
    def finish_by(self, finish: Callable[[], None]) -> Iterator[None]:
        """Inside the block the first signal calls `finish`, which must return at once."""
        self._finish = finish
        try:
            yield
        finally:
            self._finish = None

    def _take(self, number: int) -> None:
        self._previous[number] = signal.getsignal(number)
        signal.signal(number, lambda *_: self._loop.call_soon_threadsafe(self._interrupt))

    def _interrupt(self) -> None:
        self.has_happened = True
        finish, self._finish = self._finish, None
        if finish is not None:
            finish()
        elif self._task is not None:
            self._task.cancel()
