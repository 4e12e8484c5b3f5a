"""Fixtures of the migration's tests: a server under the vendor's names, and a recording to speak into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from performances import Vendor
from vendor_server import serve, speech

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
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """A server that hears the same sentence in every session."""
    folder = tmp_path_factory.mktemp("vendor")
    (folder / "script.json").write_text(json.dumps(SCRIPT))
    yield from serve(folder, "--engine", "scripted", "--model", str(folder / "script.json"))


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two and a half seconds of speech."""
    return speech(tmp_path_factory.mktemp("recording") / "speech.wav", 2.5)
