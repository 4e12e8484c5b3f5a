"""Our own server as a process with settings that the suite chooses; what a foreign service can't be asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from endpoint import Endpoint, Strictness

KEY = "key-of-the-suite"
TOKEN_SECRET = "secret of the suite"

_START = "import sys; from tympan.cli.main import main; sys.exit(main())"
_WITH_FAILING_ENGINE = f"import failing_engine; failing_engine.register(); {_START}"
_READY_S = 60.0


class OwnServer:
    """A running `tympan serve`."""

    def __init__(self, process: subprocess.Popen[str], endpoint: Endpoint) -> None:
        self._process = process
        self.endpoint = endpoint

    def is_asked_to_stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def exit_code(self) -> int:
        return self._process.wait(15)


@contextmanager
def own_server(
    *flags: str,
    strictness: Strictness = Strictness.LENIENT,
    settings: dict[str, str] | None = None,
    has_failing_engine: bool = False,
    realtime_factor: float = 0,
) -> Iterator[OwnServer]:
    """`tympan serve` with these flags and, as variables, settings."""
    strict = ("--strict",) if strictness is Strictness.STRICT else ()
    start = _WITH_FAILING_ENGINE if has_failing_engine else _START
    here = str(Path(__file__).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", start, "serve", "--port", "0", "--log-level", "warning", *flags, *strict],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TYMPAN_TOKEN_SECRET": TOKEN_SECRET, "PYTHONPATH": here} | (settings or {}),
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline().strip()
        assert line.startswith("Listening on http://"), line + process.stderr.read()
        address = line.rpartition("/")[2]
        _wait_until_ready(address)
        yield OwnServer(
            process,
            Endpoint(f"ws://{address}", KEY, strictness, is_ours=True, realtime_factor=realtime_factor, patience_s=10),
        )
    finally:
        process.terminate()
        process.communicate(timeout=15)
    assert process.returncode == 0


def _wait_until_ready(address: str) -> None:
    give_up_at = time.monotonic() + _READY_S
    while time.monotonic() < give_up_at:
        connection = HTTPConnection(address, timeout=5)
        connection.request("GET", "/v3/ws/health")
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            return
        time.sleep(0.02)
    raise AssertionError(f"{address} isn't ready after {_READY_S:g} s")
