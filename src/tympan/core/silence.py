"""SilenceWatch: stretches of audio without speech, about one a second. PURE: standard library only.

Stretches of one silence follow each other without a gap. The first begins where speech ended, so it may reach
back over audio that was told of as part of a turn.
"""

from __future__ import annotations

from tympan.core.events import SilencePassed
from tympan.core.units import StreamMs
from tympan.core.words import Report

STRETCH_MS = 1_000
"""A stretch is told where it has become this long (protocol reference, section 4.8)."""


class SilenceWatch:
    """Follows the reports of one session. While it is off it goes on watching, but tells nothing."""

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._start_ms = StreamMs(0)

    def receive_report(self, report: Report) -> list[SilencePassed]:
        """The stream judged a piece of audio."""
        if report.last_speech_end_ms is not None:
            self._start_ms = max(self._start_ms, report.last_speech_end_ms)
        if report.is_speech or report.judged_until_ms - self._start_ms < STRETCH_MS:
            return []
        passed = SilencePassed(self._start_ms, report.judged_until_ms)
        self._start_ms = report.judged_until_ms
        return [passed] if self.is_on else []
