"""HeartbeatTimer: when a session shows that it lives, and what it tells then. PURE: standard library only.

A beat that is late is told once; the next one is due a whole period after it.
"""

from __future__ import annotations

import math

from tympan.core.events import Heartbeat
from tympan.core.units import Monotonic, StreamMs

PERIOD_S = 5.0
"""Protocol reference, section 4.7."""


class HeartbeatTimer:
    """Due every period while it is on, in seconds of the room."""

    def __init__(self, began_at: Monotonic, *, is_on: bool) -> None:
        self._began_at = began_at
        self._due_at = math.inf
        self._speech_probability = 0.0  # the highest since the last beat
        self.switch(began_at, is_on=is_on)

    def switch(self, now: Monotonic, *, is_on: bool) -> None:
        """Turn it on or off; one that is on already keeps its time."""
        if not is_on:
            self._due_at = math.inf
        elif self._due_at == math.inf:
            self._due_at = now + PERIOD_S

    def receive_speech(self, probability: float) -> None:
        """The highest probability of speech (0 to 1) in audio that was judged."""
        self._speech_probability = max(self._speech_probability, probability)

    def deadline(self) -> float:
        """When `advance` next matters; infinite while it is off."""
        return self._due_at

    def advance(self, now: Monotonic, received_ms: StreamMs) -> list[Heartbeat]:
        """Time passed, and so much audio has come: the beat that is due, if any."""
        if now < self._due_at:
            return []
        self._due_at = now + PERIOD_S
        passed_s = now - self._began_at
        probability, self._speech_probability = self._speech_probability, 0.0
        return [Heartbeat(received_ms, round(passed_s * 1000), received_ms / 1000 / passed_s, probability)]
