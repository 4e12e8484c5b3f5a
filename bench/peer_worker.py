"""Runs the wheel's own streaming transcriber over a raw PCM file at real time; a process of its own.

Usage: python -m bench.peer_worker FILE.pcm. Writes one JSON object a line to standard output: an `event`
for every line of text that is new or changed, then one `summary`. Audio is given in 50 ms chunks, each at
the time when a microphone would have it; where the transcriber blocks, later chunks wait for it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from moonshine_voice import ModelArch, get_assets_path  # type: ignore[import-untyped]
from moonshine_voice.transcriber import (  # type: ignore[import-untyped]
    LineCompleted,
    LineTextChanged,
    Transcriber,
)

_CHUNK = 800
_RATE_HZ = 16_000


def main() -> None:
    samples = np.fromfile(sys.argv[1], dtype=np.int16).astype(np.float32) / 32768
    # Without its copies of the audio in every event, which nobody asked for, it is cheaper.
    transcriber = Transcriber(
        Path(str(get_assets_path())) / "tiny-en",
        ModelArch.TINY,
        options={"return_audio_data": "false"},
    )
    transcriber.start()
    cpu_before_s = _cpu_s()
    t0_s = time.perf_counter()

    def tell(event: Any) -> None:
        if isinstance(event, LineTextChanged | LineCompleted):
            line = event.line
            told = {
                "type": "event",
                "at_ms": (time.perf_counter() - t0_s) * 1000,
                "line": line.line_id,
                "text": line.text,
                "is_complete": bool(line.is_complete),
                "start_ms": round(line.start_time * 1000),
                "end_ms": round((line.start_time + line.duration) * 1000),
            }
            print(json.dumps(told), flush=True)

    transcriber.add_listener(tell)
    for start in range(0, len(samples), _CHUNK):
        chunk = samples[start : start + _CHUNK]
        due_s = t0_s + (start + len(chunk)) / _RATE_HZ
        time.sleep(max(0.0, due_s - time.perf_counter()))
        transcriber.add_audio(chunk.tolist(), _RATE_HZ)
    stopped_ms = (time.perf_counter() - t0_s) * 1000
    transcriber.stop()
    summary = {"type": "summary", "cpu_s": _cpu_s() - cpu_before_s, "stopped_ms": stopped_ms}
    print(json.dumps(summary), flush=True)
    transcriber.close()


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
