"""An event loop whose clock a test can trust on a machine that has no time for it, and can turn on.

Time in which nothing of the process ran doesn't count: what is to come within a while is given that while, and is never
late because the machine was busy. Nobody waits for long times either: the clock is turned on by them.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST_STEP_S = 0.01
"""So much at most goes by between two looks at the clock, however long it took."""


class _Restless(selectors.DefaultSelector):
    """Waits in steps that count in full."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else min(timeout, LONGEST_STEP_S))


class UnhurriedLoop(asyncio.SelectorEventLoop):
    """Counts the time in which it could run."""

    def __init__(self) -> None:
        self._looked_at_s = time.monotonic()
        self._now_s = self._looked_at_s
        super().__init__(_Restless())

    def time(self) -> float:
        looked_at_s = time.monotonic()
        self._now_s += min(looked_at_s - self._looked_at_s, LONGEST_STEP_S)
        self._looked_at_s = looked_at_s
        return self._now_s

    def passes(self, seconds: float) -> None:
        """It is so much later now, for all that waits in the loop. Called from another thread."""

        async def turn_on() -> None:
            self._now_s += seconds

        asyncio.run_coroutine_threadsafe(turn_on(), self).result()


def run_unhurried(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, in such a loop."""
    with asyncio.Runner(loop_factory=UnhurriedLoop) as runner:
        return runner.run(main)
