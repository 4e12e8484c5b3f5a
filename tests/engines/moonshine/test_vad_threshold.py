"""`vad_threshold` with the real voice activity model and the real engine: what is speech, and what follows from it."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tympan.core.config import ConfigUpdate, OutputConfig, SessionConfig, TurnConfig
from tympan.core.effects import Control, Finish
from tympan.core.events import SilencePassed, SpeechStarted, TurnEnded, TurnEvent
from tympan.core.units import StreamMs
from tympan.core.vad import SpeechTracker
from tympan.engines.base import Samples
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.stream import MoonshineStream, Parts
from tympan.engines.silero import FRAME_MS, FRAME_SAMPLES, SileroModel, SileroStream
from tympan.engines.turn_score import LogisticScore
from tympan.runtime.listener import Listener, stream_options
from tympan.wire.v3.modes import U3_TURN

THRESHOLDS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
PROFILES = [pytest.param(TurnConfig(), id="US"), pytest.param(U3_TURN, id="U3")]
NEVER = 1.0
DATA = Path(os.environ.get("TYMPAN_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture(scope="module")
def parts(fast_model: MoonshineModel) -> Parts:
    return Parts(fast_model, SileroModel(), LogisticScore())


def quieter(samples: Samples, db: float) -> Samples:
    return np.round(samples * 10 ** (-db / 20)).astype(np.int16)


def in_noise(samples: Samples, *, snr_db: float) -> Samples:
    noise = np.random.default_rng(0).standard_normal(len(samples)) * level(samples) * 10 ** (-snr_db / 20)
    return np.round(samples + noise).astype(np.int16)


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


def silence(seconds: float) -> Samples:
    return np.zeros(int(16_000 * seconds), np.int16)


def probabilities(samples: Samples) -> list[float]:
    stream = SileroStream(SileroModel())
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = (samples[:whole] / np.float32(32_768)).astype(np.float32).reshape(-1, FRAME_SAMPLES)
    return [stream.judge(frame) for frame in frames]


def speech_ms(frames: list[float], threshold: float) -> int:
    tracker = SpeechTracker(threshold)
    for index, probability in enumerate(frames):
        tracker.receive_frame(probability, StreamMs(index * FRAME_MS), StreamMs((index + 1) * FRAME_MS))
    return tracker.speech_ms


def heard(parts: Parts, items: list[Samples | Control], turn: TurnConfig, **output: bool) -> list[TurnEvent]:
    config = SessionConfig(turn=turn, output=OutputConfig(**output))
    listener = Listener(MoonshineStream(parts, stream_options(config)), config)
    for item in [*items, Finish()]:
        if isinstance(item, np.ndarray):
            listener.feed(item.tobytes())
        else:
            listener.mark(item)
    events: list[TurnEvent] = []
    while (said := listener.advance()) is not None:
        events += said.events
    return events


def words(events: list[TurnEvent]) -> list[str]:
    return [word.text.lower() for event in events if isinstance(event, TurnEnded) for word in event.formatted_words]


@pytest.mark.parametrize("quieter_db", [0, 20])
@pytest.mark.parametrize("snr_db", [60, 10, 0])
def test_less_is_speech_the_higher_the_threshold(beckett: Samples, quieter_db: float, snr_db: float) -> None:
    frames = probabilities(quieter(in_noise(beckett, snr_db=snr_db), quieter_db))
    durations_ms = [speech_ms(frames, threshold) for threshold in THRESHOLDS]

    assert all(lower >= higher for lower, higher in pairwise(durations_ms))
    assert durations_ms[0] == FRAME_MS * sum(probability >= 0.01 for probability in frames), (
        "at 0, all but sure silence"
    )
    assert durations_ms[-1] == 0, "at 1, nothing: the model is never that certain"
    assert durations_ms[0] > durations_ms[5] > durations_ms[-2], "it matters in between"


def test_silence_is_speech_at_no_threshold_so_a_turn_can_end() -> None:
    frames = probabilities(silence(10))
    assert speech_ms(frames, 0.0) < 500
    assert speech_ms(frames, 0.05) == 0


@pytest.mark.parametrize("turn", PROFILES)
def test_at_one_nothing_is_heard_and_all_is_silence(parts: Parts, beckett: Samples, turn: TurnConfig) -> None:
    events = heard(parts, [beckett], replace(turn, vad_threshold=NEVER), has_silence=True)
    assert {type(event) for event in events} == {SilencePassed}
    assert len(events) == len(beckett) // 16_000


@pytest.mark.parametrize("turn", PROFILES)
def test_at_zero_as_much_is_said_as_by_default(parts: Parts, beckett: Samples, turn: TurnConfig) -> None:
    by_default = words(heard(parts, [beckett, silence(2)], turn))
    at_zero = words(heard(parts, [beckett, silence(2)], replace(turn, vad_threshold=0.0)))
    assert len(by_default) >= 12
    assert abs(len(at_zero) - len(by_default)) <= 2


@pytest.mark.parametrize("turn", PROFILES)
def test_a_changed_threshold_acts_on_the_audio_behind_it(parts: Parts, beckett: Samples, turn: TurnConfig) -> None:
    change_ms = len(beckett) // 16
    deaf_first = [beckett, ConfigUpdate(vad_threshold=0.4), beckett]
    events = heard(parts, [*deaf_first], replace(turn, vad_threshold=NEVER))
    started = [event for event in events if isinstance(event, SpeechStarted)]
    assert started[0].onset_ms >= change_ms
    assert len(words(events)) >= 12

    events = heard(parts, [beckett, ConfigUpdate(vad_threshold=NEVER), beckett], turn)
    turns = [event for event in events if isinstance(event, TurnEnded)]
    assert all(word.end_ms <= change_ms for turn in turns for word in turn.words)
    assert len(words(events)) >= 12


def test_quiet_speech_is_missed_at_a_high_threshold_and_heard_at_a_low_one(parts: Parts, beckett: Samples) -> None:
    faint = quieter(beckett, 30)
    deaf, keen = (heard(parts, [faint], TurnConfig(vad_threshold=threshold)) for threshold in (0.99, 0.2))
    assert words(deaf) == []
    assert len(words(keen)) >= 6


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded speech isn't here")
def test_a_short_answer_in_a_noisy_kitchen_is_not_lost_by_listening_harder(parts: Parts) -> None:
    answer, _ = soundfile.read(DATA / "speech" / "wav" / "ast-vm-pls-try-again.flac", dtype="int16")
    noise, _ = soundfile.read(DATA / "noise" / "kitchen-2.flac", dtype="int16")
    kitchen = noise[: len(answer) + 4 * 16_000] * (level(answer) / level(noise) * 10 ** (-10 / 20))
    kitchen[3 * 16_000 : 3 * 16_000 + len(answer)] += answer
    for threshold in (0.05, 0.4):
        events = heard(parts, [np.round(kitchen).astype(np.int16)], TurnConfig(vad_threshold=threshold))
        assert words(events)[-3:] == ["please", "try", "again."], threshold
