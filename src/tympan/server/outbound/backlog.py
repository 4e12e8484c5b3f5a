"""Backlog: deliveries that wait for an attempt, or are in one. PURE: time and chance are arguments.

Rules:
- Few attempts run at once, fewer to one receiver, and a receiver with fewer of them comes first: one that is dead or
  slow takes no turn from the others.
- What is kept is bounded in bytes. Where it is too much, the receiver for which most is kept loses the newest that
  waits: one that is dead takes no room from the others either.
- A delivery is tried again as the policy says; the age counts from when it was added.
- A receiver that failed is left alone for a while, longer each time it fails again, whatever else waits for it, but
  never for long. In a hurry nobody is left alone: one failure must not cost all that waits its last attempt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from tympan.core.units import Monotonic
from tympan.server.outbound.attempts import RetryPolicy
from tympan.wire.v3.webhook import Webhook

MAX_KEPT_BYTES = 67_108_864
OVERHEAD_BYTES = 8_192
"""What a delivery takes besides its body, counted generously: its address and header may be long."""

LONGEST_QUIET_S = 30.0
"""One host may receive for many clients: what one of their addresses does holds up the others for no longer."""

MAX_RUNNING = 32
MAX_RUNNING_PER_RECEIVER = 4

_ALWAYS = Monotonic(-math.inf)


@dataclass(eq=False, slots=True)
class Delivery:
    """One session's finals on their way. `receiver` is the host and port: what the log may say of the address."""

    session_id: str
    receiver: str
    webhook: Webhook
    body: bytes = field(repr=False)
    added_at: Monotonic
    due_at: Monotonic
    attempts: int = 0

    @property
    def kept_bytes(self) -> int:
        return len(self.body) + OVERHEAD_BYTES


@dataclass(slots=True)
class _Line:
    """The deliveries to one receiver, oldest first."""

    waiting: list[Delivery] = field(default_factory=list)
    running: list[Delivery] = field(default_factory=list)
    kept_bytes: int = 0
    failures: int = 0  # in a row, those that came together counted once
    quiet_until: Monotonic = _ALWAYS

    @property
    def first(self) -> Delivery | None:
        """The one that runs next; None when none may."""
        if len(self.running) >= MAX_RUNNING_PER_RECEIVER:
            return None
        return min(self.waiting, key=lambda delivery: delivery.due_at, default=None)

    def due_at(self, delivery: Delivery) -> Monotonic:
        """When it may run."""
        return max(delivery.due_at, self.quiet_until)

    def entry(self, number: int, now: Monotonic) -> _Entry | None:
        """Its place among the lines of which something may run now, None when nothing may; numbers break ties."""
        first = self.first
        if first is None or self.due_at(first) > now:
            return None
        return len(self.running), first.due_at, number, self, first

    def receive_failure(self, now: Monotonic, policy: RetryPolicy, chance: float, retry_after_s: float | None) -> None:
        """An attempt failed: fall quiet."""
        if now >= self.quiet_until:
            self.failures += 1
        quiet_s = min(policy.delay_s(self.failures, chance, retry_after_s), LONGEST_QUIET_S)
        self.quiet_until = max(self.quiet_until, Monotonic(now + quiet_s))


_Entry = tuple[int, Monotonic, int, _Line, Delivery]
"""The smallest comes first."""


class Backlog:
    """All deliveries of one server."""

    def __init__(self, policy: RetryPolicy | None = None, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._policy = policy or RetryPolicy()
        self._max_bytes = max_bytes
        self._lines: dict[str, _Line] = {}
        self._kept_bytes = 0
        self._running_count = 0
        self._is_hurried = False

    @property
    def count(self) -> int:
        """Deliveries that are neither made nor given up."""
        return sum(1 for _ in self._all())

    @property
    def running_count(self) -> int:
        """Attempts that run."""
        return self._running_count

    def receive_delivery(self, delivery: Delivery) -> list[Delivery]:
        """A session is over. Returns the deliveries that are given up to make room, perhaps this one."""
        line = self._lines.setdefault(delivery.receiver, _Line())
        line.waiting.append(delivery)
        self._count(line, delivery.kept_bytes)
        dropped = []
        while self._kept_bytes > self._max_bytes and (heaviest := self._heaviest()) is not None:
            newest = max(heaviest.waiting, key=lambda waiting: waiting.added_at)
            heaviest.waiting.remove(newest)
            self._forget(newest)
            dropped.append(newest)
        return dropped

    def advance(self, now: Monotonic) -> list[Delivery]:
        """Time passed. Returns the deliveries to attempt now; they run until their outcome is told."""
        started: list[Delivery] = []
        if self._running_count >= MAX_RUNNING:
            return started
        ready = [entry for number, line in enumerate(self._lines.values()) if (entry := line.entry(number, now))]
        heapify(ready)
        while ready and self._running_count < MAX_RUNNING:
            _, _, number, line, first = heappop(ready)
            line.waiting.remove(first)
            line.running.append(first)
            self._running_count += 1
            first.attempts += 1
            started.append(first)
            if (entry := line.entry(number, now)) is not None:
                heappush(ready, entry)
        return started

    def receive_done(self, delivery: Delivery) -> None:
        """An attempt settled it, one way or the other: the receiver is there."""
        line = self._stop(delivery)
        line.failures = 0
        self._forget(delivery)

    def receive_failed(
        self, delivery: Delivery, now: Monotonic, chance: float, retry_after_s: float | None = None
    ) -> bool:
        """An attempt failed. Returns whether there will be another; else it is given up."""
        line = self._stop(delivery)
        if not self._is_hurried:
            line.receive_failure(now, self._policy, chance, retry_after_s)
        delay_s = self._policy.delay_s(delivery.attempts, chance, retry_after_s)
        if not self._policy.has_next(delivery.attempts, now + delay_s - delivery.added_at):
            self._forget(delivery)
            return False
        delivery.due_at = Monotonic(now + delay_s)
        line.waiting.append(delivery)
        return True

    def receive_hurry(self, now: Monotonic) -> None:
        """There is no time for delays from now on: everything that waits is due."""
        self._is_hurried = True
        for line in self._lines.values():
            line.quiet_until = now
            for delivery in line.waiting:
                delivery.due_at = min(delivery.due_at, now)

    def deadline(self) -> Monotonic | None:
        """When `advance` next matters; what waits for an attempt to end has none."""
        if self._running_count >= MAX_RUNNING:
            return None
        firsts = ((line, line.first) for line in self._lines.values())
        return min((line.due_at(first) for line, first in firsts if first is not None), default=None)

    def close(self) -> list[Delivery]:
        """Give everything up, and return it. Idempotent."""
        left = list(self._all())
        self._lines.clear()
        self._kept_bytes = self._running_count = 0
        return left

    def _all(self) -> Iterator[Delivery]:
        for line in self._lines.values():
            yield from line.running
            yield from line.waiting

    def _stop(self, delivery: Delivery) -> _Line:
        """Its attempt is over."""
        line = self._lines[delivery.receiver]
        line.running.remove(delivery)
        self._running_count -= 1
        return line

    def _heaviest(self) -> _Line | None:
        crowded = [line for line in self._lines.values() if line.waiting]
        return max(crowded, key=lambda line: line.kept_bytes, default=None)

    def _forget(self, delivery: Delivery) -> None:
        line = self._lines[delivery.receiver]
        self._count(line, -delivery.kept_bytes)
        if not line.waiting and not line.running:
            del self._lines[delivery.receiver]

    def _count(self, line: _Line, kept_bytes: int) -> None:
        line.kept_bytes += kept_bytes
        self._kept_bytes += kept_bytes
