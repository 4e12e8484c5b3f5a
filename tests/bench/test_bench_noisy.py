"""Mixtures are as loud as they say, and begin and end as they should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bench.dataset import RATE_HZ, SAMPLES_PER_MS, Samples, Utterance
from bench.noisy import LEAD_MS, TAIL_MS, VOICES, Mixture, others, steady_noise

SPEECH_MS = 2_000


@pytest.fixture
def utterance(tmp_path: Path) -> Utterance:
    """A tone for speech, and silence behind it."""
    path = tmp_path / "tone.flac"
    tone = np.sin(2 * np.pi * 440 * np.arange(SPEECH_MS * SAMPLES_PER_MS) / RATE_HZ) * 0.1
    soundfile.write(path, np.pad(tone, (0, RATE_HZ)), RATE_HZ)
    return Utterance("tone", path, "la", "read", SPEECH_MS + 1_000, (), SPEECH_MS)


def level_db(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples.astype(np.float64))))))


def spoken(samples: Samples) -> Samples:
    return samples[LEAD_MS * SAMPLES_PER_MS : (LEAD_MS + SPEECH_MS) * SAMPLES_PER_MS]


@pytest.mark.parametrize("snr_db", [10, 0])
@pytest.mark.parametrize("is_babble", [False, True])
def test_the_speech_is_as_much_louder_than_the_noise_as_asked(
    utterance: Utterance, snr_db: float, is_babble: bool
) -> None:
    noise = {"voices": (utterance,)} if is_babble else {"noise": steady_noise(3_000)}
    mixed = Mixture(utterance, snr_db, **noise).samples()  # type: ignore[arg-type]

    clean = np.pad(utterance.samples(), (LEAD_MS * SAMPLES_PER_MS, TAIL_MS * SAMPLES_PER_MS))
    assert len(mixed) == len(clean)
    rest = (mixed.astype(np.int32) - clean).astype(np.int16)
    assert level_db(spoken(clean)) - level_db(rest) == pytest.approx(snr_db, abs=0.1)


def test_noise_is_there_before_the_speech_and_after_it(utterance: Utterance) -> None:
    mixed = Mixture(utterance, 10, noise=steady_noise(1_000)).samples()
    assert level_db(mixed[:RATE_HZ]) == pytest.approx(level_db(mixed[-RATE_HZ:]), abs=1)


def test_without_noise_it_is_as_quiet_as_a_room(utterance: Utterance) -> None:
    mixed = Mixture(utterance).samples()
    assert level_db(mixed[:RATE_HZ]) == pytest.approx(20 * np.log10(32_768) - 60, abs=0.5)
    assert level_db(spoken(mixed)) == pytest.approx(
        level_db(utterance.samples()[: SPEECH_MS * SAMPLES_PER_MS]), abs=0.1
    )


def test_what_would_clip_is_turned_down_as_a_whole(utterance: Utterance) -> None:
    mixed = Mixture(utterance, -30, noise=steady_noise(1_000)).samples()
    assert np.abs(mixed).max() == 32_000


def test_background_voices_are_others_and_no_two_are_the_same(utterance: Utterance) -> None:
    everybody = [replace(utterance, id=str(index)) for index in range(30)]
    for index in range(30):
        names = {voice.id for voice in others(everybody, index)}
        assert len(names) == VOICES
        assert str(index) not in names


def test_steady_noise_has_as_much_power_in_every_octave() -> None:
    power = np.abs(np.fft.rfft(steady_noise(20_000).astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(20 * RATE_HZ, 1 / RATE_HZ)
    octaves = [power[(hz >= low) & (hz < 2 * low)].sum() for low in (100, 400, 1_600)]
    assert max(octaves) < 1.3 * min(octaves)
