"""Fixtures of the migration's tests: a server under the vendor's names, and a recording to speak into it."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import trustme
from performances import KEY, Vendor

SCRIPT = {
    "words": [
        {"text": "Hi,", "start_ms": 100, "end_ms": 300},
        {"text": "my", "start_ms": 320, "end_ms": 450},
        {"text": "name", "start_ms": 460, "end_ms": 700},
        {"text": "is", "start_ms": 720, "end_ms": 900},
        {"text": "Sonny.", "start_ms": 950, "end_ms": 1400, "end_of_turn_confidence": 0.75},
    ]
}


def serve(folder: Path, *engine: str) -> Iterator[Vendor]:
    """`tympan serve` with a certificate for the vendor's hosts."""
    authority = trustme.CA()
    certificate = authority.issue_cert("api.assemblyai.com", "streaming.assemblyai.com", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    start = "import sys; from tympan.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "serve", "--port", "0", "--api-key", KEY, "--log-level", "warning"]
    process = subprocess.Popen(
        [*command, "--tls-cert", str(folder / "server.pem"), *engine], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    line = process.stderr.readline().strip()
    assert line.startswith("Listening on https://"), line + process.stderr.read()
    yield Vendor(int(line.rpartition(":")[2]), folder / "authority.pem")
    process.terminate()
    process.communicate(timeout=15)
    assert process.returncode == 0


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """A server that hears the same sentence in every session."""
    folder = tmp_path_factory.mktemp("vendor")
    (folder / "script.json").write_text(json.dumps(SCRIPT))
    yield from serve(folder, "--engine", "scripted", "--model", str(folder / "script.json"))


def speech(path: Path, seconds: float) -> Path:
    """The beginning of a recording at 16 kHz that comes with the default model."""
    spec = find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package with the recording isn't made for this machine")
    recording = Path(spec.submodule_search_locations[0]) / "assets" / "beckett.wav"
    with wave.open(str(recording), "rb") as source, wave.open(str(path), "wb") as target:
        target.setparams(source.getparams())
        target.writeframes(source.readframes(int(seconds * source.getframerate())))
    return path


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two and a half seconds of speech."""
    return speech(tmp_path_factory.mktemp("recording") / "speech.wav", 2.5)
