"""Rounds: how connections that are ahead of live audio share the event loop. One has a round, then the loop is free.

Others don't wait for a round: what they send is taken as it comes. Between two rounds there is time for it, and for the
engine, whose thread shares the interpreter with the loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

GAP_S = 0.001
"""The shortest time for which the system's poll can wait."""


class Rounds:
    """Those who wait for a round, in the order in which they came. Used by one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def join(self, serve: Callable[[], None]) -> None:
        """Call `serve` once, when it is its turn: to do one bounded piece of work."""
        self._waiting.append(serve)
        if len(self._waiting) == 1:
            self._wait()

    def _serve_next(self) -> None:
        try:
            self._waiting[0]()
        finally:
            self._waiting.popleft()
            if self._waiting:
                self._wait()

    def _wait(self) -> None:
        asyncio.get_running_loop().call_later(GAP_S, self._serve_next)
