from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tympan.core.errors import UsageError
from tympan.engines.base import Samples
from tympan.engines.moonshine.frontend import MIN_WINDOW_SAMPLES, TRIM_STEP_SAMPLES, FeatureWindow
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.weights import FloatArray, FrontEndWeights, ModelWeights

TOLERANCE = 1e-3
"""Features reach 32; pieces differ from the whole by rounding alone."""


def features_of(model: MoonshineModel, samples: Samples) -> FloatArray:
    window = model.open_window()
    window.accept(samples)
    return window.features()


def gelu(x: FloatArray) -> FloatArray:
    # Abramowitz and Stegun 7.1.26, right to 1.5e-7.
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    series = ((((1.061405429 * t - 1.453152027) * t) + 1.421413741) * t - 0.284496736) * t + 0.254829592
    erf = np.sign(x) * (1 - series * t * np.exp(-z * z))
    result: FloatArray = 0.5 * x * (1 + erf)
    return result


def convolution(x: FloatArray, kernel: FloatArray, stride: int) -> FloatArray:
    frames = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2], axis=1)[:, ::stride]
    result: FloatArray = np.einsum("ctk,ock->ot", frames, kernel, optimize=True)
    return result


def written_down(front_end: FrontEndWeights, samples: Samples) -> FloatArray:
    """The front-end as its formulas say, all at once, [frames, hidden]."""
    x = np.tanh(convolution((samples[None] / 32768).astype(np.float32), front_end.conv1, 64))
    x = ((x - x.mean()) / np.sqrt(x.var() + 1e-5)).astype(np.float32)
    x = x * front_end.norm_scale[:, None] + front_end.norm_shift[:, None]
    x = gelu(convolution(x, front_end.conv2, 3) + front_end.conv2_bias[:, None])
    return gelu(convolution(x, front_end.conv3, 2) + front_end.conv3_bias[:, None]).T


def test_features_are_those_of_the_formulas(
    fast_model: MoonshineModel, weights: ModelWeights, beckett: Samples
) -> None:
    samples = beckett[:40_000]
    expected = written_down(weights.front_end, samples)
    assert np.abs(features_of(fast_model, samples)[0] - expected).max() < TOLERANCE


@pytest.mark.parametrize("piece", [160, 800, 4000, 4801, 16_001])
def test_a_window_that_grows_has_the_features_of_its_whole_audio(
    fast_model: MoonshineModel, beckett: Samples, piece: int
) -> None:
    window = fast_model.open_window()
    for start in range(0, 64_000, piece):
        window.accept(beckett[start : min(start + piece, 64_000)])
        if window.end_sample >= MIN_WINDOW_SAMPLES:
            grown = window.features()
    assert np.abs(grown - features_of(fast_model, beckett[:64_000])).max() < TOLERANCE


@settings(deadline=None, max_examples=30)
@given(steps=st.lists(st.tuples(st.integers(0, 6000), st.booleans(), st.none() | st.floats(0, 1)), max_size=12))
def test_a_window_grown_and_trimmed_anyhow_has_the_features_of_the_audio_it_holds(
    fast_model: MoonshineModel, beckett: Samples, steps: list[tuple[int, bool, float | None]]
) -> None:
    window = fast_model.open_window()
    for piece, is_looked_at, trim_share in steps:
        window.accept(beckett[window.end_sample :][:piece])
        if is_looked_at and window.end_sample - window.start_sample >= MIN_WINDOW_SAMPLES:
            window.features()
        if trim_share is not None:
            window.trim(int(window.end_sample * trim_share))
    window.accept(beckett[window.end_sample :][:MIN_WINDOW_SAMPLES])
    held = beckett[window.start_sample : window.end_sample]
    assert np.abs(window.features() - features_of(fast_model, held)).max() < TOLERANCE


def test_a_window_starts_at_most_one_step_before_the_sample_it_was_trimmed_to(
    fast_model: MoonshineModel, beckett: Samples
) -> None:
    window = fast_model.open_window(start_sample=1000)
    window.accept(beckett[:20_000])
    start = window.trim(9_999)
    assert start == 1000 + (9_999 - 1000) // TRIM_STEP_SAMPLES * TRIM_STEP_SAMPLES
    assert window.trim(500) == start


def test_how_audio_is_cut_into_pieces_makes_no_difference_at_all(fast_model: MoonshineModel, beckett: Samples) -> None:
    window = fast_model.open_window()
    for start in range(0, 16_000, 320):
        window.accept(beckett[start : start + 320])
    assert (window.features() == features_of(fast_model, beckett[:16_000])).all()


def test_memory_of_a_window_that_is_trimmed_does_not_grow(fast_model: MoonshineModel, beckett: Samples) -> None:
    window = fast_model.open_window()
    sizes = []
    for _ in range(40):
        window.accept(beckett[:16_000])
        window.features()
        window.trim(max(0, window.end_sample - 32_000))
        sizes.append(held_bytes(window))
    assert max(sizes[20:]) <= max(sizes[:20])


def held_bytes(window: FeatureWindow) -> int:
    tracks = (window._sums, window._squares, window._convolved)
    return sum(track._array.nbytes for track in tracks) + sum(piece.nbytes for piece in window._waiting)


def test_a_window_too_short_for_one_frame_is_refused(fast_model: MoonshineModel, beckett: Samples) -> None:
    window = fast_model.open_window()
    window.accept(beckett[: MIN_WINDOW_SAMPLES - 1])
    with pytest.raises(UsageError, match="at least 895 samples"):
        window.features()
    window.accept(beckett[:1])
    assert window.features().shape == (1, 1, 288)


def test_a_trim_beyond_the_end_is_refused(fast_model: MoonshineModel) -> None:
    with pytest.raises(UsageError, match="the window ends at 0"):
        fast_model.open_window().trim(1)


def test_digital_silence_has_finite_features(fast_model: MoonshineModel) -> None:
    assert np.isfinite(features_of(fast_model, np.zeros(16_000, np.int16))).all()
