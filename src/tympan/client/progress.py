"""What can be known of a service that doesn't say how far it has come. PURE: time is an argument.

A live service keeps up with the audio, so it has judged at least as much as it would have at the pace of the
audio itself. Two rules follow:
- What has come and must have been judged `QUIET_MS` ago, without telling any speech since, holds no words.
- After a new connection, audio is sent again faster than it was spoken, but no faster than a service takes.
"""

from __future__ import annotations

from tympan.core.units import Monotonic

QUIET_MS = 20_000
"""The first word of a turn is shown within 3 s of its beginning at the latest, in every profile."""

HEAD_START_MS = 60_000
CATCH_UP_SPEED = 4.0
"""A minute at once, then four times the pace of the audio: services end a session that has five minutes of audio
waiting (protocol reference, section 3)."""


class Progress:
    """One connection's audio, from `began_ms` on. `catches_up_ms`: how much lies there to be sent at once."""

    def __init__(self, began_at: Monotonic, began_ms: int, catches_up_ms: int = 0) -> None:
        self.catches_up_ms = catches_up_ms
        self._began_at = began_at
        self._began_ms = began_ms
        self._sent_ms = began_ms
        self._judged_ms = float(began_ms)  # at `_judged_at`
        self._judged_at = began_at
        self._delivered_ms = began_ms

    def sent(self, sent_ms: int, now: Monotonic) -> None:
        """Audio was sent up to there."""
        self._judged_ms, self._judged_at = self._judged_by(now), now
        self._sent_ms = sent_ms

    def delivered(self, delivered_ms: int) -> None:
        """The connection has shown that the audio up to there has come."""
        self._delivered_ms = delivered_ms

    def quiet_until_ms(self, now: Monotonic) -> int:
        """Where no turn is open, nothing was said before."""
        return max(self._began_ms, int(min(self._judged_by(now), self._delivered_ms)) - QUIET_MS)

    def behind_s(self, now: Monotonic) -> float:
        """How long the service may still need for what was sent."""
        return (self._sent_ms - self._judged_by(now)) / 1000

    def delay_s(self, now: Monotonic) -> float:
        """How long to wait before more is sent."""
        if self._sent_ms >= self._began_ms + self.catches_up_ms:
            return 0.0
        due_s = (self._sent_ms - self._began_ms - HEAD_START_MS) / 1000 / CATCH_UP_SPEED
        return max(0.0, self._began_at + due_s - now)

    def _judged_by(self, now: Monotonic) -> float:
        return min(self._sent_ms, self._judged_ms + (now - self._judged_at) * 1000)
