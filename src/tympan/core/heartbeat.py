"""HeartbeatTimer: when a session shows that it lives. PURE: standard library only.

A beat that is late is told once; the next one is due a whole period after it.
"""

from __future__ import annotations

import math

from tympan.core.units import Monotonic

PERIOD_S = 5.0
"""Protocol reference, section 4.7."""


class HeartbeatTimer:
    """Due every period while it is on, in seconds of the room."""

    def __init__(self, began_at: Monotonic, *, is_on: bool) -> None:
        self._due_at = math.inf
        self.switch(began_at, is_on=is_on)

    def switch(self, now: Monotonic, *, is_on: bool) -> None:
        """Turn it on or off; one that is on already keeps its time."""
        if not is_on:
            self._due_at = math.inf
        elif self._due_at == math.inf:
            self._due_at = now + PERIOD_S

    def deadline(self) -> float:
        """When `advance` next matters; infinite while it is off."""
        return self._due_at

    def advance(self, now: Monotonic) -> bool:
        """Time passed: whether a beat is due."""
        if now < self._due_at:
            return False
        self._due_at = now + PERIOD_S
        return True
