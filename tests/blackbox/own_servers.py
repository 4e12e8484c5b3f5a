"""Our own server as a process with settings that the suite chooses; what a foreign service can't be asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from endpoint import Endpoint, Strictness

KEY = "key-of-the-suite"
SESSIONS_PER_KEY, NEW_SESSIONS_PER_MINUTE = 3, 4
"""Where there are such limits: few, so that a test opens them within the minute on any machine."""

_HERE = str(Path(__file__).parent)
_TOKEN_SECRET = "secret of the suite"
_LISTENING = "Listening on http://"
_PROGRAM = "import sys; from tympan.cli.main import main; sys.exit(main())"
_WITH_FAILING_ENGINE = f"import failing_engine; failing_engine.register(); {_PROGRAM}"
_PATIENCE_S = 60.0
_POLL_S = 0.02


class OwnServer:
    """A running `tympan serve`."""

    def __init__(self, process: subprocess.Popen[str], endpoint: Endpoint) -> None:
        self._process = process
        self.endpoint = endpoint

    def is_let_alone(self) -> None:
        """Everybody hangs up, and no session is left; a place is free only after its client has seen the close."""
        self.endpoint.hang_up()
        give_up_at = time.monotonic() + _PATIENCE_S
        while (sessions := self.endpoint.asks("/v3/ws/health").body["sessions"]) and time.monotonic() < give_up_at:
            time.sleep(_POLL_S)
        assert sessions == 0, f"{sessions} sessions are still there after {_PATIENCE_S:g} s"

    def is_asked_to_stop(self) -> None:
        self._process.terminate()

    def ends(self) -> None:
        """It has been asked to stop, and does."""
        self._process.communicate(timeout=_PATIENCE_S)
        assert self._process.returncode == 0


def start(
    *flags: str,
    strictness: Strictness = Strictness.LENIENT,
    settings: dict[str, str] | None = None,
    has_failing_engine: bool = False,
) -> OwnServer:
    """`tympan serve` with these flags and, as variables, settings; it is ready."""
    program = _WITH_FAILING_ENGINE if has_failing_engine else _PROGRAM
    strict = ("--strict",) if strictness is Strictness.STRICT else ()
    process = subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--port", "0", "--log-level", "error", *flags, *strict],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TYMPAN_TOKEN_SECRET": _TOKEN_SECRET, "PYTHONPATH": _HERE} | (settings or {}),
    )
    assert process.stderr is not None
    line = process.stderr.readline().strip()
    assert line.startswith(_LISTENING), line + process.stderr.read()
    address = line.removeprefix(_LISTENING)
    endpoint = Endpoint(f"ws://{address}", KEY, strictness, is_ours=True, realtime_factor=0, patience_s=_PATIENCE_S)
    server = OwnServer(process, endpoint)
    try:
        _wait_until_ready(address)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return server


class Servers:
    """Servers that run until all are stopped, at once."""

    def __init__(self) -> None:
        self._running: list[OwnServer] = []

    def start(self, *flags: str, **more: Any) -> OwnServer:
        """As `start`."""
        server = start(*flags, **more)
        self._running.append(server)
        return server

    def stop(self) -> None:
        for server in self._running:
            server.is_asked_to_stop()
        for server in self._running:
            server.ends()


def _wait_until_ready(address: str) -> None:
    give_up_at = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_at:
        connection = HTTPConnection(address, timeout=_PATIENCE_S)
        connection.request("GET", "/v3/ws/health")
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            return
        time.sleep(_POLL_S)
    raise AssertionError(f"{address} isn't ready after {_PATIENCE_S:g} s")
