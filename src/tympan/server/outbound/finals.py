"""Finals: the turns of one session, kept for its webhook. PURE: standard library only.

Hours of talk take a few MB; more than `MAX_BYTES` are not kept. Then the newest are missing, and counted: what was kept
before stays a beginning of the conversation.
"""

from __future__ import annotations

MAX_BYTES = 8_388_608


class Finals:
    """The last message of each finished turn, as it was sent."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept_bytes = 0
        self.texts: list[str] = []
        self.missing = 0
        """Turns for which there was no room."""

    def receive_final(self, text: str) -> None:
        """A turn is finished; messages are ASCII, so a character is a byte."""
        if self.missing or self._kept_bytes + len(text) > self._max_bytes:
            self.missing += 1
            return
        self.texts.append(text)
        self._kept_bytes += len(text)
