"""`tympan bridge` as its user meets it: a process, its standard error, signals and exit codes."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_service import KEY, PATIENCE_S, Client, Service, make_service
from websockets.sync.client import connect

from tympan.bridge.settings import BridgeSettings, bridge_config
from tympan.cli.main import main
from tympan.server.listening_settings import load
from tympan.server.logs import LOGGERS

TYMPAN = [sys.executable, "-W", "error", "-c", "import sys; from tympan.cli.main import main; sys.exit(main())"]


@pytest.fixture
def service() -> Iterator[Service]:
    with make_service() as running:
        yield running


def test_a_made_up_key_is_told_once_and_sigterm_lets_sessions_tell_their_last_words(service: Service) -> None:
    command = [*TYMPAN, "bridge", "--port", "0", "--upstream", service.url, "--upstream-key", KEY]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            key = re.fullmatch(r"No API key was given\. Made one for this run: (\S+)\n", process.stderr.readline())
            port = re.fullmatch(r"Listening on http://127\.0\.0\.1:(\d+)\n", process.stderr.readline())
            assert key is not None
            assert port is not None
            address = f"ws://127.0.0.1:{port[1]}/v2/realtime/ws?sample_rate=16000"
            headers = {"Authorization": key[1]}
            with connect(address, additional_headers=headers, open_timeout=PATIENCE_S) as connection:
                client = Client(connection)
                client.says(1400)
                while client.hears().get("text") != "hi my name is":
                    pass
                process.terminate()
                messages, code, _ = client.hears_end()
            output, errors = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert messages[-3]["text"].startswith("Hi, my name is")
    assert messages[-2]["error"].endswith("The bridge is shutting down")
    assert messages[-1] == {"message_type": "SessionTerminated"}
    assert (code, process.returncode, output) == (1013, 0, "")
    assert key[1] not in errors
    assert KEY not in errors
    assert "session ended" in errors


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Takes back what the command does to the loggers of its process."""
    yield
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("tympan").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "setting 'upstream' is missing; give --upstream, or TYMPAN_UPSTREAM in the environment"),
        (("--upstream", "ftp://x"), "upstream: 'ftp://x' is no address of a server"),
        (("--upstream", "ws://x", "--no-auth", "--host", "0.0.0.0"), "--no-auth would let everybody"),
        (("--upstream", "ws://x", "--tls-key", "key.pem"), "tls_key: a key alone is of no use"),
        (("--upstream", "ws://x", "--tls-cert", "/nowhere.pem", "--port", "0"), "tls_cert: cannot read /nowhere.pem"),
    ],
)
def test_what_can_not_be_used_is_one_line_and_exit_code_11(
    capsys: pytest.CaptureFixture[str], own_logging: None, arguments: tuple[str, ...], line: str
) -> None:
    code = main(["bridge", *arguments])
    output, errors = capsys.readouterr()
    assert (code, output, len(errors.splitlines())) == (11, "", 1)
    assert errors.startswith(f"tympan: {line}")


def test_settings_come_from_the_environment_and_a_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TYMPAN_UPSTREAM_KEY", "the-secret-key")
    file = tmp_path / "bridge.toml"
    file.write_text('upstream = "ws://10.0.0.1:8000"\nmax_sessions = 7\n')
    config = bridge_config(load(BridgeSettings, {}, file))
    assert (config.upstream.url, config.upstream.key, config.max_sessions) == (
        "ws://10.0.0.1:8000",
        "the-secret-key",
        7,
    )
    assert (config.network.port, config.auth.is_open) == (8001, False)
    assert "the-secret-key" not in repr(config)
