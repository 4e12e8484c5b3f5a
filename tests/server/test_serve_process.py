"""`tympan serve` as its user meets it: a process, its standard error, signals and exit codes."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_service import CHUNK, PATIENCE_S, Client
from websockets.sync.client import connect

from certificates import make_certificate
from tympan.cli.main import main
from tympan.server.logs import LOGGERS

TYMPAN = [sys.executable, "-W", "error", "-c", "import sys; from tympan.cli.main import main; sys.exit(main())"]
WITHOUT_DECODERS = [*TYMPAN[:-1], TYMPAN[-1].replace("import sys;", "import sys; sys.modules['av'] = None;")]
SCRIPT = {"words": [{"text": "Goodbye.", "start_ms": 0, "end_ms": 400}]}

Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts `tympan serve` with a script; what still runs after the test is killed."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, tympan: list[str] = TYMPAN) -> subprocess.Popen[str]:
        command = [*tympan, "serve", "--engine", "scripted", "--model", str(script), *arguments]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


def test_a_made_up_key_is_told_once_and_sigterm_lets_sessions_tell_their_last_words(serve: Serve) -> None:
    process = serve("--port", "0")
    key = read_until(process, r"^No API key was given\. Made one for this run: (\S+)$")[1]
    port = listening_port(process)
    address, headers = f"ws://127.0.0.1:{port}/v3/ws", {"Authorization": key}
    with connect(address, additional_headers=headers, open_timeout=PATIENCE_S) as connection:
        client = Client(connection)
        client.hears()
        for _ in range(10):
            client.sends(CHUNK)
        assert client.hears()["words"][0]["text"] == "goodbye"
        process.terminate()
        messages, code, _ = client.hears_end()
    assert [message.get("transcript") for message in messages if message.get("end_of_turn")] == ["goodbye"]
    assert messages[-1]["error"] == "Session Cancelled: The server is shutting down"
    assert code == 3005
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, output) == (0, "")
    assert key not in errors
    assert "session ended" in errors


def test_a_server_that_cannot_hear_compressed_audio_says_so_at_the_start(serve: Serve) -> None:
    process = serve("--port", "0", "--no-auth", tympan=WITHOUT_DECODERS)
    listening_port(process)
    read_until(process, r'INFO compressed audio will be refused; to take it, pip install "tympan\[compressed\]"$')


def test_with_a_certificate_the_addresses_are_https_and_wss(serve: Serve, tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    process = serve("--port", "0", "--no-auth", "--tls-cert", str(files.cert), "--tls-key", str(files.key))
    port = read_until(process, r"^Listening on https://127\.0\.0\.1:(\d+)$")[1]
    read_until(process, rf"^Connect to wss://127\.0\.0\.1:{port}/v3/ws ")
    process.terminate()
    assert process.wait(PATIENCE_S) == 0


def test_an_address_that_means_all_of_them_is_not_told_as_one_to_connect_to(serve: Serve) -> None:
    process = serve("--port", "0", "--host", "0.0.0.0", "--api-key", "k")
    port = read_until(process, r"^Listening on http://0\.0\.0\.0:(\d+)$")[1]
    read_until(process, rf"^Connect to ws://HOST:{port}/v3/ws or .*, HOST being any name or address of this machine ")


def test_a_second_ctrl_c_ends_at_once_although_a_client_stays(serve: Serve) -> None:
    process = serve("--port", "0", "--no-auth")
    port = listening_port(process)
    with connect(f"ws://127.0.0.1:{port}/v3/ws", open_timeout=PATIENCE_S) as connection:
        Client(connection).hears()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


def ends_with_one_line(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and the only line of a start that fails; in this process, which is faster."""
    code = main(["serve", "--engine", "scripted", *arguments])
    output, errors = capsys.readouterr()
    assert output == ""
    assert len(errors.splitlines()) == 1, errors
    return code, errors


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Takes back what `serve` does to the loggers of its process."""
    yield
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("tympan").setLevel(logging.NOTSET)


@pytest.mark.usefixtures("own_logging")
def test_a_certificate_that_is_not_there_is_one_line_and_exit_code_11(
    capsys: pytest.CaptureFixture[str], own_logging: None
) -> None:
    code, line = ends_with_one_line(capsys, "--port", "0", "--tls-cert", "/nowhere/cert.pem")
    assert (code, line) == (11, "tympan: tls_cert: cannot read /nowhere/cert.pem: No such file or directory\n")


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = ends_with_one_line(capsys, "--port", str(port))
    assert code == 11
    assert line == f"tympan: port: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (["--host", "no.such.host.invalid"], 11, "host: cannot listen on 'no.such.host.invalid'"),
        (["--engine", "nothing"], 9, "no engine is called 'nothing'"),
        (["--model", "/nowhere.json"], 9, "cannot read the script /nowhere.json"),
        (["--smart-turn", "pulled"], 11, "engine 'scripted' has no option 'smart_turn'"),
        (
            ["--api-key", "k", "--api-key", " "],
            11,
            "setting 'api_keys' (on the command line): Value error, a key is empty",
        ),
        (["--max-sessions", "0"], 11, "setting 'max_sessions' (on the command line)"),
        (["--config", "/nowhere.toml"], 11, "cannot read the configuration file /nowhere.toml"),
        (["--no-auth", "--host", "0.0.0.0"], 11, "--i-know-this-is-open"),
        (["--sing"], 2, "--sing"),
    ],
)
def test_a_wrong_start_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], exit_code: int, told: str
) -> None:
    code, line = ends_with_one_line(capsys, "--port", "0", *arguments)
    assert code == exit_code
    assert told in line
