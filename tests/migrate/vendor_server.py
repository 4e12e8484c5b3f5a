"""A server that answers under the vendor's names, and what is said to it."""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import trustme
from performances import KEY, Vendor


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
    process.communicate(timeout=60)
    assert process.returncode == 0


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
