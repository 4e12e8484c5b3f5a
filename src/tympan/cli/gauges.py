"""How loud it is, and how long words take to appear. Pure: no I/O."""

from __future__ import annotations

import math
from array import array
from collections import deque
from statistics import median

from tympan.core.units import StreamMs
from tympan.wire.v3.messages import Turn

QUIET_DBFS = -60.0
"""What a level meter begins with: a quiet room at an ordinary gain."""

_FULL_SCALE = 32_768
_WORDS_REMEMBERED = 20


def peak_dbfs(chunk: bytes) -> float:
    """The loudest sample of PCM16 audio, in decibels below full scale; QUIET_DBFS at the least."""
    samples = array("h", chunk[: len(chunk) - len(chunk) % 2])
    peak = max(max(samples), -min(samples)) if samples else 0
    return max(QUIET_DBFS, 20 * math.log10(peak / _FULL_SCALE)) if peak else QUIET_DBFS


def meter(level_dbfs: float, cells: int) -> int:
    """How many cells of a level meter are lit."""
    return round(cells * (1 - max(QUIET_DBFS, min(0.0, level_dbfs)) / QUIET_DBFS))


class DelayGauge:
    """How long after its end a word is first shown, on the clock of the audio that was captured."""

    def __init__(self) -> None:
        self._turn_order = -1
        self._seen_count = 0
        self._delays_ms: deque[int] = deque(maxlen=_WORDS_REMEMBERED)

    def receive_turn(self, turn: Turn, captured_ms: StreamMs) -> None:
        """A turn reads like this when that much audio is captured."""
        if turn.turn_order != self._turn_order:
            self._turn_order, self._seen_count = turn.turn_order, 0
        for word in turn.words[self._seen_count :]:
            self._delays_ms.append(max(0, captured_ms - word.end))
        self._seen_count = max(self._seen_count, len(turn.words))

    @property
    def median_ms(self) -> int | None:
        """Of the latest words; None before the first."""
        return round(median(self._delays_ms)) if self._delays_ms else None
