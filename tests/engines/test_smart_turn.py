"""The optional second model: its features, its loader, and (when the asset is there) its answers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tympan.core.errors import ModelError
from tympan.engines.moonshine.store import models_directory
from tympan.engines.smart_turn import Samples, SmartTurn, log_mel
from tympan.engines.wheel_model import SMART_TURN

models_dir = models_directory(os.environ)
needs_asset = pytest.mark.skipif(
    not SMART_TURN.is_pulled(models_dir), reason="needs the model: tympan models pull smart-turn"
)

# Every 16th mel band of every 60th frame from 500 on, for `beeps()`; made with the features that the model's
# publisher ships (pipecat-ai 1.14.0), the reference of these.
REFERENCE = np.array(
    [
        [1.3992, 0.5544, 0.5544, -0.1797, -0.1797],
        [0.9585, 0.1231, 0.1231, -0.1797, -0.1797],
        [0.6365, -0.1797, -0.1797, -0.1797, -0.1797],
        [0.3772, -0.1797, -0.1797, -0.1797, -0.1797],
        [0.1486, -0.1797, -0.1797, -0.1797, -0.1797],
    ]
)


def beeps() -> Samples:
    """Three seconds: 220 Hz, on for a quarter and off for a quarter of a second."""
    n = np.arange(48_000)
    return (8000 * np.sin(2 * np.pi * 220 * n / 16_000) * (n % 8000 < 4000)).astype(np.int16)


def test_features_equal_the_reference_implementation() -> None:
    features = log_mel(beeps())
    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features[::16, 500::60], REFERENCE, atol=2e-4)
    assert features.mean() == pytest.approx(-0.11984, abs=1e-4)


def test_only_the_last_eight_seconds_count() -> None:
    noise = np.random.default_rng(0).integers(-3000, 3000, 200_000).astype(np.int16)
    np.testing.assert_array_equal(log_mel(noise), log_mel(noise[-128_000:]))


def test_no_audio_gives_features_too() -> None:
    assert np.isfinite(log_mel(np.zeros(0, np.int16))).all()


def test_a_missing_model_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"found no readable file; run `tympan models pull smart-turn`"):
        SmartTurn.load(tmp_path / "absent.onnx")


def test_a_directory_is_searched_for_the_models_own_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=SMART_TURN.file_name):
        SmartTurn.load(tmp_path)


def test_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / SMART_TURN.file_name).write_bytes(b"not the model")
    with pytest.raises(ModelError, match=r"expected .* found SHA-256"):
        SmartTurn.load(tmp_path)


@needs_asset
def test_the_model_answers_as_with_the_reference_features() -> None:
    model = SmartTurn.load(SMART_TURN.find(models_dir))
    assert model.probability(beeps()) == pytest.approx(0.9505, abs=0.01)
