"""Services that speak v2, each in a process of its own: the server itself, and the bridge to a server's v3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from services import KEY, running, tls_flags

from certificates import Certificate

UPSTREAM_KEY = "the-key-of-the-upstream"
SCRIPT = {
    "words": [
        {"text": "One,", "start_ms": 100, "end_ms": 300},
        {"text": "two.", "start_ms": 700, "end_ms": 900},
        {"text": "Three.", "start_ms": 1700, "end_ms": 1900},
    ]
}
"""Pauses of 400 and 800 ms: with the usual silence of 700 ms two utterances."""


@dataclass(frozen=True)
class Way:
    """One way to serve v2: its addresses without TLS and with it, and the authority that clients must trust."""

    plain: str
    secure: str
    authority: Path

    @property
    def plain_http(self) -> str:
        return self.plain.replace("ws://", "http://")


@contextmanager
def served(script: Path, certificate: Certificate) -> Iterator[Way]:
    """The server's own v2."""
    command = ("serve", "--strict", "--api-key", KEY, "--engine", "scripted", "--model", str(script))
    with running(*command) as plain, running(*command, *tls_flags(certificate)) as secure:
        yield _way(plain, secure, certificate)


@contextmanager
def bridged(script: Path, certificate: Certificate) -> Iterator[Way]:
    """The bridge, with a server's v3 behind it."""
    engine = ("--engine", "scripted", "--model", str(script))
    with ExitStack() as stack:
        upstream = stack.enter_context(running("serve", "--strict", "--api-key", UPSTREAM_KEY, *engine))
        command = ("bridge", "--api-key", KEY, "--upstream", f"ws://{upstream}", "--upstream-key", UPSTREAM_KEY)
        plain = stack.enter_context(running(*command))
        secure = stack.enter_context(running(*command, *tls_flags(certificate)))
        yield _way(plain, secure, certificate)


def write_script(folder: Path) -> Path:
    path = folder / "script.json"
    path.write_text(json.dumps(SCRIPT))
    return path


def _way(plain: str, secure: str, certificate: Certificate) -> Way:
    port = secure.rpartition(":")[2]
    return Way(f"ws://{plain}", f"wss://localhost:{port}", certificate.authority)
