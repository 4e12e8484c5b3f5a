"""Cadence: when the open turn is told. PURE: standard library only.

Under `Finality.WORDS` every change of it is told. Under `Finality.TURN` a partial says the whole turn anew, and
comes (protocol reference, section 5.1)

- once enough was said to be sure that somebody speaks, and while he speaks;
- once in each pause that is long enough to look at the turn, unless the turn ends there;
- every three seconds of speech, if the session wants that.

So at most one comes in a period of silence. All times are those of the audio.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from tympan.core.config import Finality, TurnConfig
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report

CONFIRMING_SPEECH_MS = 256
"""Added to `partial_delay_ms` (protocol reference, sections 2.1 and 11)."""

READ_AGAIN_MS = 256
"""A first read that found no words is repeated after this much audio."""

CONTINUOUS_MS = 3_000
"""From one partial to the next in long speech."""


class Moment(Enum):
    """What brought a report."""

    STEP = "step"
    LOOK = "look"  # in a pause
    READ = "read"  # while somebody speaks


class Cadence(Protocol):
    """Follows the reports of one session's turns."""

    def configure(self, config: TurnConfig) -> None:
        """Change the numbers from now on."""

    def is_read_due(self, report: Report) -> bool:
        """Whether the engine should read the open turn now; asked once for each step, in order."""

    def is_telling_due(self, report: Report, shown: Hypothesis, moment: Moment) -> bool:
        """Whether the turn is to be told as it reads now; `shown` is how it was told last."""

    def reset(self) -> None:
        """The next turn."""


class EveryChange:
    """The cadence of `Finality.WORDS`."""

    def configure(self, config: TurnConfig) -> None:
        """It has no numbers."""

    def is_read_due(self, report: Report) -> bool:
        return False

    def is_telling_due(self, report: Report, shown: Hypothesis, moment: Moment) -> bool:
        return report.hypothesis != shown

    def reset(self) -> None:
        """It remembers nothing."""


class PacedPartials:
    """The cadence of `Finality.TURN`."""

    def __init__(self, config: TurnConfig) -> None:
        self._is_told = False
        self._latest_ms: StreamMs | None = None  # of the last partial or attempt at one
        self._told_pause_ms: StreamMs | None = None  # where the speech ended before the last pause that was told
        self.configure(config)

    def configure(self, config: TurnConfig) -> None:
        self._confirming_ms = config.partial_delay_ms + CONFIRMING_SPEECH_MS
        self._is_continuous = config.has_continuous_partials

    def is_read_due(self, report: Report) -> bool:
        if not report.is_speech or report.speech_ms < self._confirming_ms or not self._is_time(report.judged_until_ms):
            return False
        self._latest_ms = report.judged_until_ms
        return True

    def is_telling_due(self, report: Report, shown: Hypothesis, moment: Moment) -> bool:
        is_first_in_pause = moment is Moment.LOOK and report.last_speech_end_ms != self._told_pause_ms
        has_words = bool(report.hypothesis.words or shown.words)
        if not has_words or not (is_first_in_pause or moment is Moment.READ):
            return False
        if moment is Moment.LOOK:
            self._told_pause_ms = report.last_speech_end_ms
        self._latest_ms = report.judged_until_ms
        self._is_told = True
        return True

    def reset(self) -> None:
        self._is_told, self._latest_ms, self._told_pause_ms = False, None, None

    def _is_time(self, now_ms: StreamMs) -> bool:
        if self._latest_ms is None:
            return True
        if self._is_told:
            return self._is_continuous and now_ms - self._latest_ms >= CONTINUOUS_MS
        return now_ms - self._latest_ms >= READ_AGAIN_MS


def cadence_for(config: TurnConfig) -> Cadence:
    """A new one for a session."""
    return EveryChange() if config.finality is Finality.WORDS else PacedPartials(config)
