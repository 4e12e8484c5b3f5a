"""Audio composed of utterances, and the reference that moves with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from bench.dataset import (
    SAMPLES_PER_MS,
    Utterance,
    composite,
    load,
    read_audio,
    room_tone,
    spread,
    wheel_sample,
)
from bench.metrics import ReferenceWord


def utterance(directory: Path, name: str, duration_ms: int, words: tuple[ReferenceWord, ...]) -> Utterance:
    path = directory / f"{name}.wav"
    soundfile.write(path, np.full(duration_ms * SAMPLES_PER_MS, 1000, dtype=np.int16), 16_000)
    return Utterance(name, path, name, "read", duration_ms, words, duration_ms)


def test_words_lie_where_their_audio_lies(tmp_path: Path) -> None:
    a = utterance(tmp_path, "a", 1000, (ReferenceWord("a", 100, 800),))
    b = utterance(tmp_path, "b", 500, (ReferenceWord("b", 50, 450),))
    joined = composite([a, b], gap_ms=700, lead_ms=200)
    assert [(w.text, w.start_ms, w.end_ms) for w in joined.words] == [("a", 300, 1000), ("b", 1950, 2350)]
    assert [(t.start_ms, t.end_ms) for t in joined.turns] == [(300, 1000), (1950, 2350)]
    assert len(joined.samples) == (200 + 1000 + 700 + 500 + 700) * SAMPLES_PER_MS
    assert joined.samples[1900 * SAMPLES_PER_MS] == 1000


def test_audio_of_another_rate_and_two_channels_becomes_16_khz_mono(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.zeros((48_000, 2), dtype=np.int16), 48_000)
    samples = read_audio(path)
    assert samples.shape == (16_000,)
    assert samples.dtype == np.int16


def test_room_tone_has_the_stated_level_and_is_reproducible() -> None:
    tone = room_tone(1000, level_dbfs=-40)
    level = 20 * np.log10(np.sqrt(np.mean((tone / 32768.0) ** 2)))
    assert level == pytest.approx(-40, abs=0.5)
    assert np.array_equal(tone, room_tone(1000, level_dbfs=-40))


def test_a_spread_takes_about_the_time_asked_for_from_all_over_the_list(tmp_path: Path) -> None:
    everything = [utterance(tmp_path, str(i), 1000, ()) for i in range(10)]
    assert [u.id for u in spread(everything, 3_000)] == ["0", "3", "6"]
    assert spread(everything, 99_000) == everything


def test_the_wheels_own_recording_stands_in_for_missing_data(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path)
    sample = wheel_sample()
    assert len(sample.utterances) == 1
    assert sample.aligned == ()
