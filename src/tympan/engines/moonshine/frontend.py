"""Audio of a window to the encoder's input, computed once per sample while the window grows.

Three convolutions with a norm over the *whole window* after the first. What depends on few samples is
kept: the un-normalised features of the second convolution, and each frame's sum and sum of squares, from
which the window's mean and variance follow. A trim drops frames and their sums, so nothing accumulates
and nothing drifts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tympan.core.errors import UsageError
from tympan.engines.base import Samples
from tympan.engines.moonshine.weights import FloatArray

FRAME_SAMPLES = 384
"""One encoder frame: 24 ms."""
MIN_WINDOW_SAMPLES = 895
"""The shortest audio that fills an encoder frame: 56 ms."""
TRIM_STEP_SAMPLES = 192
"""Windows are trimmed by whole frames of the second convolution: 12 ms."""

_CONV1_STRIDE, _CONV1_SPAN = 64, 127
_CONV2_SPAN = 511
_CONV1_PER_CONV2 = 3
_FULL_SCALE = np.float32(32768)
_NORM_EPSILON = 1e-5


class FrontEnd:
    """The two graphs, shared by all windows."""

    def __init__(self, convolutions: Any, features: Any) -> None:
        self._convolutions = convolutions
        self._features = features
        self.channels = int(convolutions.get_outputs()[2].shape[1])

    def convolve(self, samples: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums, square sums [conv1 frames], features [1, channels, conv2 frames]; 511 samples at least."""
        sums, squares, convolved = self._convolutions.run(None, {"samples": samples[None]})
        return sums[0], squares[0], convolved

    def normalise(self, convolved: FloatArray, mean: float, variance: float) -> FloatArray:
        inputs = {
            "convolved": convolved,
            "mean": np.full((1, 1, 1), mean, np.float32),
            "inverse_deviation": np.full((1, 1, 1), (variance + _NORM_EPSILON) ** -0.5, np.float32),
        }
        features: FloatArray = self._features.run(None, inputs)[0]
        return features


class FeatureWindow:
    """The audio from `start_sample` to `end_sample` of a stream, as features: grows behind, trimmed in front.

    `accept` only keeps the samples; `features` computes. So how audio was cut into pieces makes no
    difference. Memory is that of the window: about 0.2 MB a second.
    """

    def __init__(self, front_end: FrontEnd, start_sample: int = 0) -> None:
        self._front_end = front_end
        self.start_sample = start_sample
        self.end_sample = start_sample
        self._waiting: list[Samples] = []
        self._sums = _Track(())
        self._squares = _Track(())
        self._convolved = _Track((1, front_end.channels))

    def accept(self, samples: Samples) -> None:
        """Add audio behind."""
        self._waiting.append(samples.copy())
        self.end_sample += len(samples)

    def features(self) -> FloatArray:
        """The encoder's input [1, frames, hidden] for the whole window.

        Raises:
            UsageError: the window is shorter than MIN_WINDOW_SAMPLES.
        """
        if self.end_sample - self.start_sample < MIN_WINDOW_SAMPLES:
            raise UsageError(
                f"a window needs at least {MIN_WINDOW_SAMPLES} samples, this one has "
                f"{self.end_sample - self.start_sample}"
            )
        tail_sums, tail_squares = self._convolve()
        count = (len(self._sums) + len(tail_sums)) * (self._front_end.channels // 2)
        mean = _total(self._sums.view, tail_sums) / count
        variance = max(0.0, _total(self._squares.view, tail_squares) / count - mean * mean)
        return self._front_end.normalise(self._convolved.view, mean, variance)

    def trim(self, sample: int) -> int:
        """Drop the audio before `sample`; returns where the window starts now.

        That is `sample` or up to TRIM_STEP_SAMPLES − 1 before it. Nothing happens when the window starts
        later already.

        Raises:
            UsageError: the window ends before `sample`.
        """
        if sample > self.end_sample:
            raise UsageError(f"can't trim to sample {sample}: the window ends at {self.end_sample}")
        frames = max(0, sample - self.start_sample) // TRIM_STEP_SAMPLES
        self._convolve()
        kept = min(frames, len(self._convolved))
        self._convolved.drop(kept)
        self._sums.drop(kept * _CONV1_PER_CONV2)
        self._squares.drop(kept * _CONV1_PER_CONV2)
        if frames > kept:
            self._waiting = [self._joined_waiting()[(frames - kept) * TRIM_STEP_SAMPLES :]]
        self.start_sample += frames * TRIM_STEP_SAMPLES
        return self.start_sample

    def _convolve(self) -> tuple[FloatArray, FloatArray]:
        """Convolve what waits; returns the sums of the last conv1 frames, which fill no conv2 frame yet.

        Those count in mean and variance. Their samples stay waiting, for the next frames need them too.
        """
        waiting = self._joined_waiting()
        count1 = max(0, (len(waiting) - _CONV1_SPAN) // _CONV1_STRIDE + 1)
        count2 = max(0, (len(waiting) - _CONV2_SPAN) // TRIM_STEP_SAMPLES + 1)
        if not count1:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        padding = max(0, _CONV2_SPAN - len(waiting))
        sums, squares, convolved = self._front_end.convolve(np.pad(waiting / _FULL_SCALE, (0, padding)))
        done = count2 * _CONV1_PER_CONV2
        self._sums.append(sums[:done])
        self._squares.append(squares[:done])
        self._convolved.append(convolved[:, :, :count2])
        self._waiting = [waiting[count2 * TRIM_STEP_SAMPLES :].copy()]
        return sums[done:count1], squares[done:count1]

    def _joined_waiting(self) -> Samples:
        return np.concatenate(self._waiting) if self._waiting else np.zeros(0, np.int16)


class _Track:
    """An array that grows at the end of its last axis and is cut at the start."""

    def __init__(self, leading: tuple[int, ...]) -> None:
        self._array: FloatArray = np.zeros((*leading, 64), np.float32)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def view(self) -> FloatArray:
        return self._array[..., : self._length]

    def append(self, values: FloatArray) -> None:
        length = self._length + values.shape[-1]
        if length > self._array.shape[-1]:
            larger = np.zeros((*self._array.shape[:-1], 2 * length), np.float32)
            larger[..., : self._length] = self.view
            self._array = larger
        self._array[..., self._length : length] = values
        self._length = length

    def drop(self, count: int) -> None:
        kept = self._array[..., count : self._length].copy()
        self._length = kept.shape[-1]
        self._array[..., : self._length] = kept


def _total(*parts: NDArray[np.float32]) -> float:
    return float(sum(part.sum(dtype=np.float64) for part in parts))
