"""Outbox: messages on their way to one client. No sockets, no threads; awaited by one writer.

Policy: everything is told, as long as the client keeps up. Where more than a quarter of `max_bytes` waits, a
partial that waits is replaced by the next one, since each says the whole turn anew; nothing else is ever
dropped. A client that leaves more than `max_bytes` waiting is too slow: the outbox then says so and takes no
more.
"""

from __future__ import annotations

import asyncio
from collections import deque

MAX_WAITING_BYTES = 1_048_576
"""Hours of finals; the socket's own buffers come on top."""


class Outbox:
    """A bounded queue with one reader."""

    def __init__(self, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[str, bool]] = deque()  # text, is a partial
        self._waiting_bytes = 0
        self._is_finished = False
        self._is_overfull = False
        self._changed = asyncio.Event()

    @property
    def is_overfull(self) -> bool:
        """The client reads too slowly; nothing is taken any more."""
        return self._is_overfull

    @property
    def is_done(self) -> bool:
        """Nothing waits and nothing will come."""
        return self._is_finished and not self._has_waiting

    @property
    def is_empty(self) -> bool:
        """Nothing waits."""
        return not self._has_waiting

    def put(self, text: str, *, is_partial: bool = False) -> None:
        """Add a message. After `finish` or overflow it is ignored."""
        if self._is_finished or self._is_overfull:
            return
        is_crowded = self._waiting_bytes > self._max_bytes // 4
        if is_crowded and is_partial and self._waiting[-1][1]:
            self._forget(self._waiting.pop()[0])
        self._waiting.append((text, is_partial))
        self._waiting_bytes += len(text)
        self._is_overfull = self._waiting_bytes > self._max_bytes
        self._changed.set()

    def finish(self) -> None:
        """Nothing will come after what waits now. Idempotent."""
        self._is_finished = True
        self._changed.set()

    def abandon(self) -> None:
        """Forget what waits: nobody is there to read it. Idempotent."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self.finish()

    def take(self) -> str | None:
        """The next message; None when none waits."""
        if not self._waiting:
            return None
        text, _ = self._waiting.popleft()
        self._forget(text)
        return text

    def wake(self) -> None:
        """Let `wait` return now: what its caller waits for may have changed."""
        self._changed.set()

    async def wait(self, timeout_s: float | None) -> None:
        """Return when something waits, when the outbox is finished, when woken, or after the timeout."""
        if self._has_waiting or self._is_finished:
            return
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return

    @property
    def _has_waiting(self) -> bool:
        return bool(self._waiting)

    def _forget(self, text: str) -> None:
        self._waiting_bytes -= len(text)
