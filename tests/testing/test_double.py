"""The test double as a test uses it: in its words, with pytest and without, and what it says when it fails."""

from __future__ import annotations

import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from running_service import PATIENCE_S
from websockets.sync.client import connect as open_socket

import tympan.testing
from tympan.client import SessionParameters
from tympan.client.events import Event
from tympan.client.sync import connect
from tympan.core.errors import ScriptError, UsageError
from tympan.testing import DoubleServer
from tympan.testing import heard as heard_module

ROOT = Path(__file__).parents[2]
CHUNK = b"\0" * 1600  # 50 ms


@pytest.fixture
def server() -> Iterator[DoubleServer]:
    with DoubleServer() as running:
        yield running


def call(server: DoubleServer, *, ms: int = 2500, forces: bool = False) -> list[Event]:
    """An application: it streams, and returns what came."""
    with connect(server.url, api_key=server.api_key, parameters=SessionParameters(format_turns=True)) as session:

        def send() -> None:
            session.send_from([CHUNK] * (ms // 50))
            if forces:
                session.force_endpoint()
            session.terminate()

        sending = threading.Thread(target=send)
        sending.start()
        events = list(session)
        sending.join()
    return events


def hang_up(server: DoubleServer, *, after_ms: int = 200) -> None:
    """An application that just closes."""
    headers = {"Authorization": server.api_key}
    with open_socket(
        f"{server.url}/v3/ws?sample_rate=8000&token=secret", additional_headers=headers, open_timeout=PATIENCE_S
    ) as socket:
        for _ in range(after_ms // 100):
            socket.send(CHUNK)
        socket.recv()


def test_what_it_says_is_heard_and_what_it_heard_is_known(server: DoubleServer) -> None:
    server.says("Hi, my name is Sonny.")
    assert "Hi, my name is Sonny." in [getattr(event, "transcript", "") for event in call(server, forces=True)]
    server.assert_terminated_gracefully()
    server.assert_heard(ms=2500)
    server.assert_parameters(format_turns=True, sample_rate=16000)
    server.assert_received("ForceEndpoint", times=1)
    server.assert_received("Terminate")
    server.assert_closed_with(1000)
    server.assert_connections(1)
    assert server.session.audio == CHUNK * 50
    assert server.session.said[0]["type"] == "Begin"


def test_what_is_described_after_a_session_is_for_the_next_one_alone(server: DoubleServer) -> None:
    for text in ("One.", "Two."):
        server.says(text)
        assert [event.transcript for event in call(server) if getattr(event, "turn_is_formatted", False)] == [text]


def test_partials_come_as_often_as_the_test_wants(server: DoubleServer) -> None:
    server.says("Hi, my name is Sonny.", end_of_turn_confidence=1)
    server.shows_partials(every_ms=1000)
    partials = [event for event in call(server) if getattr(event, "end_of_turn", None) is False]
    assert len(partials) <= 3


def test_what_cannot_be_described_is_refused_and_leaves_no_trace(server: DoubleServer) -> None:
    server.says("Fine.")
    with pytest.raises(ScriptError, match="script of the test: session 1, turn 2: loudness: no such key"):
        server.says("Loud.", loudness=3)
    with pytest.raises(ScriptError, match="expected one moment"):
        server.closes(3005)
    with pytest.raises(ScriptError, match="partial_every_ms"):
        server.shows_partials(every_ms=0)
    server.says("Still fine.")
    assert [event.transcript for event in call(server, ms=4000) if getattr(event, "turn_is_formatted", False)] == [
        "Fine.",
        "Still fine.",
    ]


def test_credentials_are_not_kept(server: DoubleServer) -> None:
    hang_up(server)
    assert server.session.parameters == {"sample_rate": "8000"}
    assert server.api_key not in str(server.session.headers)


FAILURES = {
    "terminated gracefully": (
        lambda server: server.assert_terminated_gracefully(),
        'expected the client to send {"type": "Terminate"}.\nWhat happened: 200 ms of audio and no control message '
        "came; messages said: 1, the last Begin; the client left with close code 1000.",
    ),
    "heard": (
        lambda server: server.assert_heard(ms=1000),
        "expected 1,000 ms of audio, give or take 100 ms; got 200 ms.",
    ),
    "parameter": (
        lambda server: server.assert_parameters(sample_rate=16000),
        "expected the parameter sample_rate=16000; got '8000'.",
    ),
    "absent parameter": (
        lambda server: server.assert_parameters(keyterms_prompt=["a"]),
        'expected the parameter keyterms_prompt=["a"]; it isn\'t there.',
    ),
    "received": (
        lambda server: server.assert_received("UpdateConfiguration", format_turns=True),
        'expected the client to send UpdateConfiguration with {"format_turns": true}; its control messages: none.',
    ),
    "closed": (
        lambda server: server.assert_closed_with(3005),
        "expected the server to close with 3005.",
    ),
    "connections": (lambda server: server.assert_connections(2), "expected 2 connections, got 1"),
}


def test_a_failed_assertion_says_what_was_expected_and_what_happened(server: DoubleServer) -> None:
    hang_up(server)
    for fails, text in FAILURES.values():
        with pytest.raises(AssertionError) as caught:
            fails(server)
        assert str(caught.value).startswith(text)


def test_a_client_that_never_came_is_no_success(server: DoubleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tympan.testing.double.PATIENCE_S", 0.05)
    with pytest.raises(AssertionError, match=r"expected a client to connect to ws://127\.0\.0\.1:"):
        server.assert_terminated_gracefully()


def test_a_session_that_stays_open_is_told_as_such(server: DoubleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard_module, "PATIENCE_S", 0.05)
    headers = {"Authorization": server.api_key}
    with open_socket(f"{server.url}/v3/ws", additional_headers=headers, open_timeout=PATIENCE_S) as socket:
        socket.recv()
        with pytest.raises(AssertionError, match=r"the connection was still open after 0\.05 s"):
            server.assert_terminated_gracefully()


def test_a_server_that_does_not_run_says_how_to_run_it() -> None:
    with pytest.raises(RuntimeError, match="with DoubleServer"):
        _ = DoubleServer().url


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    path.write_text('[[turns]]\ntext = "From a file."')
    with DoubleServer(path) as server:
        assert [event.transcript for event in call(server) if getattr(event, "turn_is_formatted", False)] == [
            "From a file."
        ]
    with DoubleServer(str(path)) as server, pytest.raises(UsageError, match="belongs into it"):
        server.says("And this.")
    with pytest.raises(ScriptError, match=r"cannot read the script .*absent\.toml"):
        DoubleServer(tmp_path / "absent.toml")


USERS_TESTS = """
def test_my_app(tympan_server):
    tympan_server.says("Hello.")
    assert tympan_server.url.startswith("ws://127.0.0.1:")


def test_without_the_fixture():
    import sys
    assert "tympan.testing.double" in sys.modules  # of the test before


def test_my_app_against_a_strict_one(strict_tympan_server):
    from websockets.sync.client import connect

    with connect(strict_tympan_server.url + "/v3/ws?vad_threshold=2", additional_headers={
        "Authorization": strict_tympan_server.api_key
    }) as socket:
        socket.recv()
    strict_tympan_server.assert_closed_with(3006)
"""


def run_pytest(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_users.py").write_text(tests)
    is_installed = any(entry_points(group="pytest11", name="tympan"))
    plugin = [] if is_installed else ["-p", "tympan.testing.plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, "test_users.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_fixtures_are_there_for_whoever_installs_the_package(tmp_path: Path) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    assert declared["pytest11"] == {"tympan": "tympan.testing.plugin"}
    ran = run_pytest(tmp_path, USERS_TESTS)
    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr


def test_a_run_without_the_fixture_imports_neither_server_nor_numpy(tmp_path: Path) -> None:
    ran = run_pytest(
        tmp_path,
        "import sys\n\n"
        "def test_nothing():\n"
        "    heavy = {'tympan.testing.double', 'tympan.server', 'numpy', 'uvicorn', 'websockets'}\n"
        "    assert not heavy & set(sys.modules)\n",
    )
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr


def test_what_is_not_installed_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("tympan.testing.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ModuleNotFoundError, match=r'needs the package uvicorn; pip install "tympan\[server\]"'):
        _ = tympan.testing.DoubleServer


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        _ = tympan.testing.Server


def test_a_strict_double_refuses_what_the_hosted_service_refuses(server: DoubleServer) -> None:
    with DoubleServer(strict=True) as strict:
        for double in (strict, server):
            query, headers = "sample_rate=16000&vad_threshold=2", {"Authorization": double.api_key}
            with open_socket(
                f"{double.url}/v3/ws?{query}", additional_headers=headers, open_timeout=PATIENCE_S
            ) as socket:
                socket.recv()
        strict.assert_closed_with(3006)
    (told,) = strict.session.said
    assert told["error"].startswith("User Input Validation Error: Invalid 'vad_threshold': ")
    assert server.session.said[0]["type"] == "Begin"


def test_a_client_that_sends_as_it_should_notices_nothing_of_a_strict_double() -> None:
    with DoubleServer(strict=True) as strict:
        strict.says("Hi, my name is Sonny.")
        events = call(strict)
        strict.assert_terminated_gracefully()
    assert "Hi, my name is Sonny." in [getattr(event, "transcript", "") for event in events]
