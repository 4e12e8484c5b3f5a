"""Smart Turn v3.2: an optional second opinion on the end of a turn, from the sound alone.

The model is an asset that the user adds: one ONNX file, read from a path, checked against its checksum.
Nothing is downloaded here, and the package whose wheel carries the file is never imported. The log-mel
features are our own numpy; their recipe is that of Whisper's feature extractor (Radford et al. 2022;
mel scale after Slaney's Auditory Toolbox) with 8 s of audio instead of 30.

May import numpy, onnxruntime and core.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from tympan.core.errors import EngineError
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ
from tympan.engines.wheel_model import SMART_TURN

Samples = NDArray[np.int16]
Features = NDArray[np.float32]

AUDIO_MS = 8000
"""The model hears the last 8 s; less is filled with zeros in front."""

PRE_ROLL_MS = 500
"""Audio before the onset of the turn's speech that the measurements gave it."""

_AUDIO_SAMPLES = AUDIO_MS * ENGINE_SAMPLE_RATE_HZ // 1000
_FRAME_SAMPLES = 400
_HOP_SAMPLES = 160
_MEL_COUNT = 80
_VARIANCE_FLOOR = 1e-7
_MEL_FLOOR = 1e-10
_DYNAMIC_RANGE_LOG10 = 8.0


def log_mel(samples: Samples) -> Features:
    """Log-mel features of the last 8 s.

    Args:
        samples: 16 kHz mono, any length.

    Returns:
        Shape (80, 800): mel bands by frames of 10 ms, roughly within −1…1.
    """
    audio = np.zeros(_AUDIO_SAMPLES, np.float32)
    tail = samples[-_AUDIO_SAMPLES:]
    if len(tail):
        audio[-len(tail) :] = tail.astype(np.float32) / 32768
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + _VARIANCE_FLOOR)
    padded = np.pad(audio, _FRAME_SAMPLES // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME_SAMPLES)[::_HOP_SAMPLES][:-1]
    spectrum = np.fft.rfft(frames * _window(), axis=-1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    log_power = np.log10(np.maximum(_mel_power(power), _MEL_FLOOR))
    clipped = np.maximum(log_power, log_power.max() - _DYNAMIC_RANGE_LOG10)
    features: Features = ((clipped + 4) / 4).astype(np.float32)
    return features


class SmartTurn:
    """The loaded model; shared by streams, safe to use from several threads."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    @classmethod
    def load(cls, path: Path) -> SmartTurn:
        """Load the model.

        Args:
            path: the ONNX file, or a folder that holds it under its own name.

        Raises:
            ModelError: no such file, or not the version that the score's weights were fitted to.
        """
        content = SMART_TURN.read(path)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return cls(ort.InferenceSession(content, options, providers=["CPUExecutionProvider"]))

    def probability(self, samples: Samples) -> float:
        """Probability (0 to 1) that the speaker has finished, given the turn's audio up to now.

        Args:
            samples: 16 kHz mono; only the last 8 s count. Fits best 200 ms into the silence, with
                `PRE_ROLL_MS` before the turn's first speech.

        Raises:
            EngineError: the model failed.
        """
        try:
            (output,) = self._session.run(None, {"input_features": log_mel(samples)[np.newaxis]})
        except Exception as error:  # onnxruntime raises classes of its own that share no public base
            raise EngineError("smart-turn", str(error)) from error
        return float(np.asarray(output).reshape(-1)[0])


def _mel_power(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power by mel band, shape (80, frames), from power by frequency, shape (frames, 201).

    One matrix product would do, but wakes the threads of numpy's BLAS, which then spin for longer than all
    of `log_mel` takes. A band covers 1 to 14 of the 201 frequencies.
    """
    by_bin = np.ascontiguousarray(power.T)
    bands = [np.einsum("f,ft->t", weights, by_bin[low : low + len(weights)]) for low, weights in _mel_bands()]
    return np.stack(bands)


@cache
def _window() -> NDArray[np.float32]:
    """Periodic Hann window, shape (400,)."""
    return np.hanning(_FRAME_SAMPLES + 1)[:-1].astype(np.float32)


@cache
def _mel_bands() -> tuple[tuple[int, NDArray[np.float32]], ...]:
    """80 triangles of equal area on Slaney's mel scale from 0 to 8 kHz: first frequency bin, weights from there."""
    bins_hz = np.linspace(0, ENGINE_SAMPLE_RATE_HZ / 2, _FRAME_SAMPLES // 2 + 1)
    top_mel = _slaney_mel(ENGINE_SAMPLE_RATE_HZ / 2)
    corners_hz = np.array([_slaney_hz(mel) for mel in np.linspace(0, top_mel, _MEL_COUNT + 2)])
    low, centre, high = (corners_hz[i : i + _MEL_COUNT, np.newaxis] for i in range(3))
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    triangles = np.maximum(0, np.minimum(rising, falling))
    filters = (triangles * 2 / (high - low)).astype(np.float32)
    return tuple((int(np.flatnonzero(row)[0]), row[row > 0]) for row in filters)


_LINEAR_UNTIL_HZ = 1000.0
_LINEAR_UNTIL_MEL = 15.0
_LOG_STEP = float(np.log(6.4) / 27)


def _slaney_mel(hz: float) -> float:
    if hz < _LINEAR_UNTIL_HZ:
        return hz * 3 / 200
    return _LINEAR_UNTIL_MEL + float(np.log(hz / _LINEAR_UNTIL_HZ)) / _LOG_STEP


def _slaney_hz(mel: float) -> float:
    if mel < _LINEAR_UNTIL_MEL:
        return mel * 200 / 3
    return _LINEAR_UNTIL_HZ * float(np.exp(_LOG_STEP * (mel - _LINEAR_UNTIL_MEL)))
