"""Services with the scripted engine and with the real one, and what is said to them."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from services import KEY, SecureService, running, tls_flags

from certificates import Certificate, make_certificate
from sonny_script import SCRIPT


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Flags for the scripted engine; strict, so that what real clients do is seen to be refused by nobody."""
    script = tmp_path_factory.mktemp("serve") / "script.json"
    script.write_text(json.dumps(SCRIPT))
    return ("--api-key", KEY, "--engine", "scripted", "--model", str(script), "--strict")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def address(scripted: tuple[str, ...]) -> Iterator[str]:
    """Host and port of the running service."""
    with running("serve", *scripted) as listening:
        yield listening


@pytest.fixture(scope="session")
def secure(scripted: tuple[str, ...], certificate: Certificate) -> Iterator[SecureService]:
    """The same with TLS."""
    with running("serve", *scripted, *tls_flags(certificate)) as listening:
        yield SecureService.at(listening, certificate)


@pytest.fixture(scope="session")
def real(certificate: Certificate) -> Iterator[SecureService]:
    """A service with the real engine, and TLS."""
    with running("serve", "--api-key", KEY, *tls_flags(certificate)) as listening:
        yield SecureService.at(listening, certificate)


@pytest.fixture(scope="session")
def beckett() -> Path:
    """Ten seconds of speech that come with the model."""
    spec = find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package with the model and the recording is not installed")
    return Path(spec.submodule_search_locations[0]) / "assets" / "beckett.wav"


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a hum at 16 kHz; the scripted engine listens to the clock alone."""
    path = tmp_path_factory.mktemp("recording") / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((b"\x00\x20" * 40 + b"\x00\xe0" * 40) * 400)
    return path
