"""Commands as a user runs them: a command line in, exit code and both outputs out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command_line import MakeAudio, Ran, Run

from tympan.cli.main import main
from unhurried_loop import run_unhurried


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command loses its patience because the machine had no time for it, or for the server of the test."""
    monkeypatch.setattr(asyncio, "run", run_unhurried)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command line in this process, with no settings of the machine's."""
    for name in (
        "TYMPAN_API_KEY",
        "TYMPAN_TOKEN",
        "TYMPAN_ENGINE",
        "TYMPAN_MODEL",
        "TYMPAN_SMART_TURN",
        "TYMPAN_DEBUG",
        "XDG_DATA_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TYMPAN_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(int(code), captured.out, captured.err)

    return run_command


WORDS = [
    {"text": "book", "formatted": "Book", "start_ms": 200, "end_ms": 500},
    {"text": "a", "start_ms": 500, "end_ms": 600},
    {"text": "table", "formatted": "table.", "start_ms": 600, "end_ms": 1_000, "end_of_turn_confidence": 0.9},
    {"text": "thanks", "formatted": "thanks.", "start_ms": 2_000, "end_ms": 2_400, "confidence": 0.5},
]
"""Two turns: the silence between them is longer than the default needs."""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A timeline for the scripted engine."""
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"words": WORDS}))
    return path


@pytest.fixture
def audio_file(tmp_path: Path) -> MakeAudio:
    """Make a file of quiet noise; the scripted engine hears its words in any audio."""

    def make(name: str = "speech.wav", *, seconds: float = 3.0, rate_hz: int = 16_000, channels: int = 1) -> Path:
        frames = np.random.default_rng(0).standard_normal((int(seconds * rate_hz), channels)) / 100
        path = tmp_path / name
        soundfile.write(path, frames, rate_hz)
        return path

    return make
