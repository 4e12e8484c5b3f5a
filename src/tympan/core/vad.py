"""Speech probabilities → speech and silence, with hysteresis. PURE: standard library only.

A frame opens speech when its probability reaches the threshold and keeps it open while it stays above
the threshold less `HYSTERESIS` (Silero's own recipe).
"""

from __future__ import annotations

from tympan.core.units import StreamMs

HYSTERESIS = 0.15


class SpeechTracker:
    """Follows one turn: when its speech began, when it last sounded, how much of it was voiced."""

    __slots__ = ("_is_speech", "_last_end_ms", "_onset_ms", "_speech_ms", "threshold")

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._is_speech = False
        self.reset()

    def reset(self) -> None:
        """Open the next turn. Speech that is going on goes on."""
        self._speech_ms = 0
        self._onset_ms: StreamMs | None = None
        self._last_end_ms: StreamMs | None = None

    def receive_frame(self, probability: float, start_ms: StreamMs, end_ms: StreamMs) -> bool:
        """Judge one frame; true when it is speech."""
        floor = self.threshold - HYSTERESIS if self._is_speech else self.threshold
        self._is_speech = probability >= max(floor, 0.01)
        if self._is_speech:
            if self._onset_ms is None:
                self._onset_ms = start_ms
            self._last_end_ms = end_ms
            self._speech_ms += end_ms - start_ms
        return self._is_speech

    @property
    def is_speech(self) -> bool:
        return self._is_speech

    @property
    def speech_ms(self) -> int:
        return self._speech_ms

    @property
    def onset_ms(self) -> StreamMs | None:
        return self._onset_ms

    @property
    def last_end_ms(self) -> StreamMs | None:
        return self._last_end_ms
