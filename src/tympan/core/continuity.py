"""Continuity: how one session goes on over several connections. PURE: standard library only.

Rules:
- A client that is lost is waited for, `window_s` from the loss; then the session is over.
- Text messages of the client are counted over all connections, so that both sides agree on where it goes on.
- A checkpoint is due once per second of audio judged, and when a turn has ended.
"""

from __future__ import annotations

from tympan.core.events import CheckpointReached, TurnEnded
from tympan.core.listening import Heard
from tympan.core.units import Monotonic, StreamMs

CHECKPOINT_MS = 1_000


class Continuity:
    """Whether the client is there, how long it is waited for, and what it is told to go on."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._lost_at: Monotonic | None = None
        self._is_over = False
        self._texts_received = 0
        self._told_until_ms = StreamMs(0)

    @property
    def is_waiting(self) -> bool:
        """The client is lost and may still come back."""
        return self._lost_at is not None and not self._is_over

    @property
    def is_over(self) -> bool:
        """Nobody comes back."""
        return self._is_over

    @property
    def texts_received(self) -> int:
        """Text messages of the client that count."""
        return self._texts_received

    def receive_text(self) -> None:
        """A text message came that counts."""
        self._texts_received += 1

    def receive_heard(self, heard: Heard, received_bytes: int) -> list[CheckpointReached]:
        """The listener said what it heard, and it is told; the checkpoint that follows, if one is due."""
        has_turn_ended = any(isinstance(event, TurnEnded) for event in heard.events)
        is_due = has_turn_ended or heard.judged_until_ms >= self._told_until_ms + CHECKPOINT_MS
        if not is_due:
            return []
        self._told_until_ms = heard.judged_until_ms
        return [CheckpointReached(received_bytes, heard.settled_ms, self._texts_received)]

    def receive_lost(self, now: Monotonic) -> None:
        """The connection is lost; the client may come back."""
        self._lost_at = now

    def receive_resumed(self) -> None:
        """The client is back."""
        self._lost_at = None

    def deadline(self) -> Monotonic | None:
        """When `advance` next matters."""
        if self._lost_at is None or self._is_over:
            return None
        return Monotonic(self._lost_at + self._window_s)

    def advance(self, now: Monotonic) -> None:
        """Time passed."""
        deadline = self.deadline()
        if deadline is not None and now >= deadline:
            self._is_over = True

    def close(self) -> None:
        """Nobody is waited for any more. Idempotent."""
        self._is_over = True
