"""The default model, loaded once for all tests of this folder, and the recordings that its wheel carries."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soxr

from tympan.core.errors import ModelError
from tympan.engines.base import Samples
from tympan.engines.moonshine.assets import ModelFiles, default_files
from tympan.engines.moonshine.convert import read_weights
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.precision import Precision
from tympan.engines.moonshine.tokens import Vocabulary
from tympan.engines.moonshine.weights import ModelWeights


@pytest.fixture(scope="session")
def model_files() -> ModelFiles:
    try:
        return default_files()
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("converted")


@pytest.fixture(scope="session")
def weights(model_files: ModelFiles) -> ModelWeights:
    return read_weights(model_files)


@pytest.fixture(scope="session")
def vocabulary(model_files: ModelFiles) -> Vocabulary:
    return Vocabulary.read(model_files.tokenizer)


@pytest.fixture(scope="session")
def exact_model(model_files: ModelFiles, cache_dir: Path) -> MoonshineModel:
    return MoonshineModel.load(model_files, cache_dir, Precision.FP32)


@pytest.fixture(scope="session")
def fast_model(model_files: ModelFiles, cache_dir: Path) -> MoonshineModel:
    return MoonshineModel.load(model_files, cache_dir, Precision.S8)


@pytest.fixture(scope="session")
def beckett(model_files: ModelFiles) -> Samples:
    """Ten seconds, one speaker."""
    return _recording(model_files, "beckett.wav")


@pytest.fixture(scope="session")
def whole_reading(model_files: ModelFiles) -> Samples:
    """44 seconds, one speaker."""
    return _recording(model_files, "two_cities.wav")


@pytest.fixture(scope="session")
def two_cities(model_files: ModelFiles) -> Samples:
    """The first 15 seconds of a reading."""
    return _recording(model_files, "two_cities.wav")[: 15 * 16_000]


def _recording(files: ModelFiles, name: str) -> Samples:
    with wave.open(str(files.directory.parent / name)) as file:
        rate_hz, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, channels)[:, 0]
    resampled: Samples = soxr.resample(samples, rate_hz, 16_000)
    return resampled
