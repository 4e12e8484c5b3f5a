"""`tympan serve` as its user meets it: a process, its standard error, signals and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from running_service import CHUNK, Client
from websockets.sync.client import connect

TYMPAN = [sys.executable, "-W", "error", "-c", "import sys; from tympan.cli.main import main; sys.exit(main())"]
SCRIPT = {"words": [{"text": "Goodbye.", "start_ms": 0, "end_ms": 400}]}

Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts `tympan serve` with a script; what still runs after the test is killed."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        command = [*TYMPAN, "serve", "--engine", "scripted", "--model", str(script), *arguments]
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The first line of standard error that matches."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if match := re.search(pattern, line):
            return match
    raise AssertionError("".join(lines))


def listening_port(process: subprocess.Popen[str]) -> int:
    return int(read_until(process, r"^Listening on http://127\.0\.0\.1:(\d+)$")[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_sessions_tell_their_last_words(serve: Serve, number: signal.Signals) -> None:
    process = serve("--port", "0", "--api-key", "k")
    port = listening_port(process)
    with connect(f"ws://127.0.0.1:{port}/v3/ws", additional_headers={"Authorization": "k"}) as connection:
        client = Client(connection)
        client.hears()
        for _ in range(10):
            client.sends(CHUNK)
        assert client.hears()["words"][0]["text"] == "goodbye"
        signalled_at = time.monotonic()
        process.send_signal(number)
        messages, code, _ = client.hears_end()
    assert [message.get("transcript") for message in messages if message.get("end_of_turn")] == ["goodbye"]
    assert messages[-1]["error"] == "Session Cancelled: The server is shutting down"
    assert code == 3005
    assert process.wait(10) == 0
    assert time.monotonic() - signalled_at < 5
    assert process.stdout is not None
    assert process.stdout.read() == ""


def test_without_a_key_one_is_made_and_told_once(serve: Serve) -> None:
    process = serve("--port", "0")
    key = read_until(process, r"No API key was given\. Made one for this run: (\S+)$")[1]
    port = listening_port(process)
    url = f"http://127.0.0.1:{port}/v3/token?expires_in_seconds=60"
    assert httpx.get(url, headers={"Authorization": key}).status_code == 200
    assert httpx.get(url, headers={"Authorization": "other"}).status_code == 401
    process.terminate()
    assert process.stderr is not None
    assert key not in process.stderr.read()


def test_keys_may_come_from_the_environment(serve: Serve) -> None:
    process = serve("--port", "0", TYMPAN_API_KEYS="one, two", TYMPAN_LOG_LEVEL="warning")
    url = f"http://127.0.0.1:{listening_port(process)}/v3/token?expires_in_seconds=60"
    assert [httpx.get(url, headers={"Authorization": key}).status_code for key in ("one", "two", "")] == [
        200,
        200,
        401,
    ]


def ends_with_one_line(process: subprocess.Popen[str], exit_code: int) -> str:
    _, errors = process.communicate(timeout=20)
    assert process.returncode == exit_code, errors
    lines = [line for line in errors.splitlines() if not line.startswith("No API key")]
    assert len(lines) == 1, errors
    return lines[0]


def test_a_port_in_use_is_one_line(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = ends_with_one_line(serve("--port", str(port)), 11)
    assert line.startswith(f"tympan: port: cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (["--host", "no.such.host.invalid"], 11, "host: cannot listen on 'no.such.host.invalid'"),
        (["--engine", "nothing"], 9, "no engine is called 'nothing'"),
        (["--model", "/nowhere.json"], 9, "cannot read the script /nowhere.json"),
        (["--max-sessions", "0"], 11, "setting 'max_sessions' (on the command line)"),
        (["--config", "/nowhere.toml"], 11, "cannot read the configuration file /nowhere.toml"),
        (["--no-auth", "--host", "0.0.0.0"], 11, "--i-know-this-is-open"),
        (["--sing"], 2, "--sing"),
    ],
)
def test_a_wrong_start_is_one_line(serve: Serve, arguments: list[str], exit_code: int, told: str) -> None:
    assert told in ends_with_one_line(serve("--port", "0", *arguments), exit_code)
