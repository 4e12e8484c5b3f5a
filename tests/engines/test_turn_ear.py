"""When the optional second model is asked, and what it hears."""

from __future__ import annotations

import numpy as np

from tympan.engines.base import Samples
from tympan.engines.silero import FRAME_SAMPLES
from tympan.engines.smart_turn import AUDIO_MS, PRE_ROLL_MS
from tympan.engines.turn_ear import TurnEar

PRE_ROLL_FRAMES = PRE_ROLL_MS // 32


class CountingModel:
    """Answers with the seconds it was given."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []

    def probability(self, samples: Samples) -> float:
        self.heard.append(samples)
        return len(samples) / 16_000


def hear(ear: TurnEar, frames: int, *, is_speech: bool, silent_before: int = 0) -> None:
    for index in range(frames):
        frame = np.full(FRAME_SAMPLES, 1 if is_speech else 0, np.int16)
        ear.receive_frame(frame, 0 if is_speech else silent_before + index + 1)


def test_it_is_asked_once_in_each_pause_after_200_ms() -> None:
    model = CountingModel()
    ear = TurnEar(model)
    hear(ear, 10, is_speech=True)
    hear(ear, 6, is_speech=False)
    assert ear.probability is None
    hear(ear, 30, is_speech=False, silent_before=6)
    assert len(model.heard) == 1
    hear(ear, 5, is_speech=True)
    assert ear.probability is None
    hear(ear, 7, is_speech=False)
    assert len(model.heard) == 2


def test_it_hears_half_a_second_before_the_turns_first_speech() -> None:
    model = CountingModel()
    ear = TurnEar(model)
    hear(ear, 100, is_speech=False, silent_before=100)
    hear(ear, 10, is_speech=True)
    hear(ear, 7, is_speech=False)
    (heard,) = model.heard
    assert len(heard) == (PRE_ROLL_FRAMES + 10 + 7) * FRAME_SAMPLES


def test_it_hears_no_more_than_eight_seconds() -> None:
    model = CountingModel()
    ear = TurnEar(model)
    hear(ear, 1000, is_speech=True)
    hear(ear, 7, is_speech=False)
    assert len(model.heard[0]) == AUDIO_MS * 16


def test_a_new_turn_forgets_the_answer_and_the_sound() -> None:
    model = CountingModel()
    ear = TurnEar(model)
    hear(ear, 50, is_speech=True)
    hear(ear, 7, is_speech=False)
    ear.reset()
    assert ear.probability is None
    hear(ear, 1, is_speech=True)
    hear(ear, 7, is_speech=False)
    assert len(model.heard[1]) == (PRE_ROLL_FRAMES + 1 + 7) * FRAME_SAMPLES


def test_without_a_model_nothing_is_kept_or_asked() -> None:
    ear = TurnEar(None)
    hear(ear, 50, is_speech=True)
    hear(ear, 20, is_speech=False)
    assert ear.probability is None
