"""`tympan` commands that listen, each in a process of its own, as real clients meet them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from certificates import Certificate

KEY = "a-key"

_START = "import sys; from tympan.cli.main import main; sys.exit(main())"
_LISTENING = "Listening on http"


@dataclass(frozen=True)
class SecureService:
    """A service that clients reach by `wss`, and the authority that they must trust."""

    address: str
    authority: Path

    @property
    def trust(self) -> dict[str, str]:
        """Variables that make Python and Node.js trust it."""
        return {"SSL_CERT_FILE": str(self.authority), "NODE_EXTRA_CA_CERTS": str(self.authority)}

    @classmethod
    def at(cls, listening: str, certificate: Certificate) -> SecureService:
        """The one that listens there with this certificate."""
        return cls(f"localhost:{listening.rpartition(':')[2]}", certificate.authority)


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """A `tympan` command that listens; gives host and port."""
    command = [sys.executable, "-c", _START, *arguments, "--port", "0"]
    # One secret for all: a token of one service opens sessions of the others.
    surroundings = os.environ | {"TYMPAN_TOKEN_SECRET": "secret of the tests"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=surroundings)
    try:
        assert process.stderr is not None
        line = process.stderr.readline().strip()
        assert line.startswith(_LISTENING), line + process.stderr.read()
        yield line.rpartition("/")[2]
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def tls_flags(certificate: Certificate) -> tuple[str, ...]:
    return ("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key))
