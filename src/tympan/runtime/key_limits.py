"""How many sessions one key may hold at once, and begin in a minute. PURE: standard library and `core` only.

Rules:
- A session counts from when it is given its place. One that is refused isn't counted, so who asks too often loses
  nothing but the answer.
- No more than the limit begin in any stretch of a minute: it slides.
- What is remembered is what was begun in the last minute, and what runs: never a key that is idle.

A place is taken and given back by one `with` block, so that no path can forget it. Used from one thread.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tympan.core.errors import TooManyNewSessions, TooManySessionsOfKey
from tympan.core.units import Monotonic

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """Limits of each key; None: none."""

    max_sessions: int | None = None
    max_new_per_minute: int | None = None


class KeyPlaces:
    """Places for sessions, by key. A key is known here by any text that is its own."""

    def __init__(self, limits: KeyLimits) -> None:
        self._limits = limits
        self._active: Counter[str] = Counter()
        self._begun: deque[tuple[Monotonic, str]] = deque()  # oldest first
        self._recent: Counter[str] = Counter()  # of them, by key

    def active(self, key_id: str) -> int:
        """Sessions of a key that hold a place."""
        return self._active[key_id]

    @property
    def remembered(self) -> int:
        """Entries kept in all, for whoever wants to know what it costs."""
        return len(self._begun) + len(self._active) + len(self._recent)

    @contextmanager
    def place(self, key_id: str, now: Monotonic) -> Iterator[None]:
        """Hold a place for a session of a key that begins now.

        Raises:
            TooManySessionsOfKey: the key holds all of its places.
            TooManyNewSessions: it has begun too many within a minute.
        """
        self._forget_old(now)
        self._check_active(key_id)
        self._check_recent(key_id, now)
        if self._limits.max_new_per_minute is not None:
            self._begun.append((now, key_id))
            self._recent[key_id] += 1
        self._active[key_id] += 1
        try:
            yield
        finally:
            _take_one(self._active, key_id)

    def _check_active(self, key_id: str) -> None:
        limit = self._limits.max_sessions
        if limit is not None and self._active[key_id] >= limit:
            raise TooManySessionsOfKey(f"all {limit} sessions of the key are taken")

    def _check_recent(self, key_id: str, now: Monotonic) -> None:
        limit = self._limits.max_new_per_minute
        if limit is None or self._recent[key_id] < limit:
            return
        oldest = next(begun_at for begun_at, begun_by in self._begun if begun_by == key_id)
        wait_s = max(1, math.ceil(oldest + WINDOW_S - now))
        raise TooManyNewSessions(f"at most {limit} a minute may begin; try again in {wait_s} s")

    def _forget_old(self, now: Monotonic) -> None:
        while self._begun and self._begun[0][0] + WINDOW_S <= now:
            _take_one(self._recent, self._begun.popleft()[1])


def _take_one(counts: Counter[str], key_id: str) -> None:
    counts[key_id] -= 1
    if not counts[key_id]:
        del counts[key_id]
