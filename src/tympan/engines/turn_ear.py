"""TurnEar: keeps a turn's sound for the optional second model, and asks it once in each pause."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np

from tympan.engines.base import Samples
from tympan.engines.silero import FRAME_MS
from tympan.engines.smart_turn import AUDIO_MS, PRE_ROLL_MS
from tympan.engines.turn_score import SMART_TURN_SILENCE_MS

_ASK_AT_FRAMES = -(-SMART_TURN_SILENCE_MS // FRAME_MS)
_PRE_ROLL_FRAMES = PRE_ROLL_MS // FRAME_MS


class TurnModel(Protocol):
    """What the ear asks; `SmartTurn` is one."""

    def probability(self, samples: Samples) -> float:
        """Probability (0 to 1) that the speaker has finished, given the turn's audio up to now."""


class TurnEar:
    """One stream's. Without a model it hears nothing and costs nothing."""

    def __init__(self, model: TurnModel | None) -> None:
        self._model = model
        self._frames: deque[Samples] = deque(maxlen=AUDIO_MS // FRAME_MS)
        self._has_speech = False
        self.probability: float | None = None
        """The model's answer in this pause; None before it was asked."""

    def receive_frame(self, frame: Samples, frames_since_speech: int) -> None:
        """Hear a frame, `frames_since_speech` after the last one with speech (0: this one)."""
        if self._model is None:
            return
        self._frames.append(frame)
        if frames_since_speech == 0:
            self._has_speech = True
            self.probability = None
        elif not self._has_speech:
            self._keep_pre_roll()
        elif frames_since_speech == _ASK_AT_FRAMES:
            self.probability = self._model.probability(np.concatenate(self._frames))

    def reset(self) -> None:
        """The turn is over."""
        self._has_speech = False
        self.probability = None
        self._keep_pre_roll()

    def _keep_pre_roll(self) -> None:
        while len(self._frames) > _PRE_ROLL_FRAMES:
            self._frames.popleft()
