"""`tympan serve` in a process of its own, as real clients meet it."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

KEY = "a-key"
SCRIPT = {
    "words": [
        {"text": "Hi,", "start_ms": 100, "end_ms": 300},
        {"text": "my", "start_ms": 320, "end_ms": 450},
        {"text": "name", "start_ms": 460, "end_ms": 700},
        {"text": "is", "start_ms": 720, "end_ms": 900},
        {"text": "Sonny.", "start_ms": 950, "end_ms": 1400, "end_of_turn_confidence": 0.75},
    ]
}


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of the running service."""
    script = tmp_path_factory.mktemp("serve") / "script.json"
    script.write_text(json.dumps(SCRIPT))
    start = "import sys; from tympan.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "serve", "--port", "0", "--api-key", KEY]
    process = subprocess.Popen(
        [*command, "--engine", "scripted", "--model", str(script)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    line = process.stderr.readline().strip()
    assert line.startswith("Listening on http://"), line + process.stderr.read()
    yield line.removeprefix("Listening on http://")
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds at 16 kHz; the scripted engine listens to the clock alone."""
    path = tmp_path_factory.mktemp("recording") / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0" * 64_000)
    return path
