"""Features of a window to what the decoder attends to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onnxruntime import OrtValue

from tympan.core.errors import UsageError
from tympan.engines.moonshine.weights import FloatArray

FRAME_SECONDS = 0.024
MAX_FRAMES = 4096
"""Longest window in encoder frames of 24 ms: 98 s, far beyond what the model understands."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded window: `cross` holds ONNX Runtime's values by the decoder's input name."""

    cross: Mapping[str, Any]
    frame_count: int


class Encoder:
    """The encoder's graph; holds no state."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._names = [output.name for output in session.get_outputs()]

    def encode(self, features: FloatArray) -> Encoded:
        """Encode features [1, frames, hidden].

        Raises:
            UsageError: the window is longer than MAX_FRAMES.
        """
        frames = features.shape[1]
        if frames > MAX_FRAMES:
            raise UsageError(f"a window has at most {MAX_FRAMES} frames of 24 ms, this one has {frames}")
        values = self._session.run_with_ort_values(self._names, {"features": ort_value(features)})
        return Encoded(dict(zip(self._names, values, strict=True)), frames)


def ort_value(array: Any) -> Any:
    """ONNX Runtime's view of an array, which must outlive it."""
    return OrtValue.ortvalue_from_numpy(array)
