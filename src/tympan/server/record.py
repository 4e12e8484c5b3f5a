"""What is kept of a session for the log and the counters: never audio, text or credentials."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from tympan.runtime.metrics import Metrics

logger = logging.getLogger("tympan.server")

GOODBYES = frozenset({1000, 1005})
"""Close codes of a client that wants no more: normal closure, or a close message without a code, which is what a
browser's `close()` sends (RFC 6455, section 7.4.1)."""

VANISHED = 1006
"""Close code of a connection that ended without one (RFC 6455, section 7.4.1)."""


@dataclass(slots=True)
class SessionRecord:
    """One session's line in the log, filled in while it runs."""

    session_id: str
    protocol: str
    engine: str
    turns: int = 0
    close_code: int = VANISHED
    why: str = "the client vanished"

    def tell_begin(self) -> None:
        """Log that the session began."""
        logger.info("session began", extra=self._fields())

    def tell_end(self, audio_s: float, metrics: Metrics) -> None:
        """Log how the session ended, and count what it was."""
        metrics.audio_received.inc(audio_s)
        metrics.turns.inc(self.turns)
        ending = {
            "audio_s": audio_s,
            "turns": self.turns,
            "close_code": self.close_code,
            "why": self.why,
        }
        logger.info("session ended", extra=self._fields() | ending)

    def _fields(self) -> dict[str, object]:
        return {"session": self.session_id, "protocol": self.protocol, "engine": self.engine}
