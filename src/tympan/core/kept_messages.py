"""KeptMessages: what a client is told, kept until it says that it came. PURE: standard library only.

Messages are numbered from 0, over all connections of a session. Rules:
- Each connection takes them in order, from a number that the client named, exactly as they were put.
- Acknowledged messages are forgotten. Where more than `max_bytes` are kept the oldest are forgotten too: a client
  that lacks one of them can't go on, and is told so when it tries.
"""

from __future__ import annotations

from collections import deque

from tympan.core.errors import BadParameter, NotResumable

MAX_KEPT_BYTES = 8_388_608
"""Half an hour of lively partials."""


class KeptMessages:
    """The messages of one session that its client may still ask for."""

    def __init__(self, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: deque[str] = deque()
        self._kept_bytes = 0
        self._first = 0  # number of the oldest kept
        self._next = 0  # number of the one to take next
        self._taken = 0  # messages that were taken at least once

    @property
    def is_taken(self) -> bool:
        """Nothing is left to take."""
        return self._next == self._first + len(self._kept)

    @property
    def is_broken(self) -> bool:
        """What had to be taken next is forgotten: the connection can't go on."""
        return self._next < self._first

    @property
    def kept_bytes(self) -> int:
        """Characters kept; all are ASCII."""
        return self._kept_bytes

    def put(self, text: str) -> None:
        """Add a message."""
        self._kept.append(text)
        self._kept_bytes += len(text)
        while self._kept_bytes > self._max_bytes:
            self._forget_oldest()

    def take(self) -> str | None:
        """The next message; None when all are taken, or it is forgotten."""
        if self.is_taken or self.is_broken:
            return None
        text = self._kept[self._next - self._first]
        self._next += 1
        self._taken = max(self._taken, self._next)
        return text

    def acknowledge(self, count: int) -> None:
        """The client has received the first `count` messages.

        Raises:
            BadParameter: so many were never sent.
        """
        if not 0 <= count <= self._taken:
            raise BadParameter("messages", f"{self._taken} were sent, not {count}")
        while self._first < count:
            self._forget_oldest()

    def rewind(self, count: int) -> None:
        """Another connection goes on; its client has received the first `count` messages.

        Raises:
            NotResumable: so many were never sent, or what follows them isn't kept any more.
        """
        if count > self._taken:
            raise NotResumable(f"{self._taken} messages were sent, not {count}")
        if count < self._first:
            raise NotResumable(f"messages are kept from number {self._first} on, not from {count}")
        self.acknowledge(count)
        self._next = count

    def _forget_oldest(self) -> None:
        self._kept_bytes -= len(self._kept.popleft())
        self._first += 1
