"""Fixtures of the migration's tests: a server under the vendor's names, and a recording to speak into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from performances import Vendor
from vendor_server import serve, speech

from sonny_script import SCRIPT


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
