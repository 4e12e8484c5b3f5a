"""Admission: how many sessions may run at once. It may import `core` only.

Capacity is decided at the start of a session, never in its middle. A place is taken and given back by one
`with` block, so that no path can forget it. Used from one thread: the event loop's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tympan.core.errors import TooManySessions


class Admission:
    """Places for sessions."""

    def __init__(self, max_sessions: int) -> None:
        self._max_sessions = max_sessions
        self._active = 0

    @property
    def active(self) -> int:
        """Sessions that hold a place."""
        return self._active

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for one session.

        Raises:
            TooManySessions: none is free.
        """
        if self._active >= self._max_sessions:
            raise TooManySessions(f"all {self._max_sessions} sessions are taken")
        self._active += 1
        try:
            yield
        finally:
            self._active -= 1
