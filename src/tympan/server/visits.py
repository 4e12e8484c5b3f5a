"""Visits: the WebSocket connections that have something to say, and how all of them come to an end.

It holds no sockets and no rules; whoever stops a server waits here until every client was told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from tympan.core.errors import TympanError

_DRAIN_POLL_S = 0.02
_FAREWELL_S = 0.5
"""For telling clients why, once the time for last words is over."""


class Endable(Protocol):
    """A session that runs."""

    def end(self, error: TympanError, *, at_once: bool) -> None:
        """Close with the error; unless `at_once`, everything heard so far is told first."""


class Visits:
    """Counts connections."""

    def __init__(self) -> None:
        self._count = 0

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Count a WebSocket connection for as long as it has something to say."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    async def drain(
        self,
        sessions: Collection[Endable],
        error: TympanError,
        timeout_s: float,
        is_hurried: Callable[[], bool] = lambda: False,
    ) -> None:
        """End every session with the error; returns when all clients were told, or as soon as `is_hurried`.

        What a session couldn't tell within the timeout is lost; its client is still told why.
        """
        for at_once, patience_s in ((False, timeout_s), (True, _FAREWELL_S)):
            for session in list(sessions):
                session.end(error, at_once=at_once)
            give_up_at = time.monotonic() + patience_s
            while self._count and time.monotonic() < give_up_at and not is_hurried():
                await asyncio.sleep(_DRAIN_POLL_S)
