"""ReadyQueue: which seat a worker serves next. PURE: no threads; guarded by the worker.

Rules:
- Whoever had least time is next, in order among equals: a file sent at once, or a flood, takes what live audio leaves.
- Who has no work saves up `CREDIT_S` and no more: nobody waits for ever. Who is new has saved up nothing.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

CREDIT_S = 0.1
"""What a second of live speech takes with the default engine."""


class Served(Protocol):
    """Who is served; `served_s` is the processor time that it had, and never far less than what others had.

    Only who serves it adds to it, while it is in no queue.
    """

    served_s: float


S = TypeVar("S", bound=Served)


class ReadyQueue(Generic[S]):
    """Seats with work, each of them once."""

    def __init__(self) -> None:
        self._waiting: list[S] = []
        self._reached_s = 0.0  # what everybody has had who always has work

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def welcome(self, seat: S) -> None:
        """A new seat; it has saved up nothing."""
        seat.served_s = self._reached_s

    def put(self, seat: S) -> None:
        """A seat has work."""
        seat.served_s = max(seat.served_s, self._reached_s - CREDIT_S)
        self._waiting.append(seat)

    def take(self) -> S:
        """The next one; the queue isn't empty."""
        seat = min(self._waiting, key=lambda waiting: waiting.served_s)
        self._waiting.remove(seat)
        self._reached_s = max(self._reached_s, seat.served_s)
        return seat

    def is_overtaken(self, seat: S) -> bool:
        """Somebody came meanwhile who had less than the seat that was taken."""
        return any(waiting.served_s < seat.served_s for waiting in self._waiting)
