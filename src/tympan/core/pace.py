"""Pace: whether what a client causes comes faster than live audio brings it. PURE: standard library only.

A client that is ahead breaks no rule and loses nothing: what it sends is dealt with when others had their turn.
"""

from __future__ import annotations

from tympan.core.units import Monotonic


class Pace:
    """Counts pieces of work of one client. Live audio brings at most `live_per_s`; `burst` of them may come at once."""

    def __init__(self, live_per_s: int, burst: int, began_at: Monotonic) -> None:
        self._live_per_s = live_per_s
        self._burst_s = burst / live_per_s
        self._reached_at = began_at  # when live audio would have brought all that came

    def receive(self, count: int, now: Monotonic) -> None:
        """So many came."""
        self._reached_at = Monotonic(max(self._reached_at, now) + count / self._live_per_s)

    def is_ahead(self, now: Monotonic) -> bool:
        """A whole burst came, and more than live audio brings."""
        return self._reached_at - now >= self._burst_s
