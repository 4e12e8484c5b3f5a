"""`tympan probe` as a user runs it: what it prints, its exit codes, and servers that aren't what they should be."""

from __future__ import annotations

import asyncio
import http
import socket
import ssl
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trustme
from background import Background, background
from command_line import Ran, Run
from hosted_replay import KEY, Behaviour, HostedReplay
from speech_track import SpeechTrack

from tympan.cli.exit_codes import ExitCode

TIMED = ("begin", "force-endpoint")
"""Noted where they take long, as they may on a busy machine."""

TRACK = SpeechTrack.load("two_orders")


@pytest.fixture
def network() -> Iterator[Background]:
    with background() as loop:
        yield loop


@contextmanager
def hosted(network: Background, behaviour: Behaviour | None = None, **options: object) -> Iterator[str]:
    with network.entered(HostedReplay(TRACK, behaviour=behaviour, **options)) as service:
        yield service.url


def lines(ran: Ran) -> dict[str, str]:
    """Each check's line, without its name."""
    found = {}
    for line in ran.output.splitlines():
        for verdict in ("passed", "noted", "failed", "left out"):
            if line.startswith(verdict.ljust(10)):
                check, _, text = line[10:].partition(" ")
                found[check] = f"{verdict}: {text.strip()}"
    return found


def test_a_quick_probe_prints_a_line_for_each_check_and_a_sum(run: Run, network: Background) -> None:
    with hosted(network) as url:
        ran = run("probe", url, "--api-key", KEY, "--quick")
    assert ran.code == ExitCode.OK, ran.output
    assert lines(ran)["begin"].split(maxsplit=1)[1].startswith("Begin ")
    assert lines(ran)["speech"].endswith("left out by --quick")
    assert lines(ran)["close"] == "passed: close code 1000 'Session Ended'"
    assert "Terminate → Termination" in ran.output
    assert ran.output.splitlines()[-1].endswith("2 left out")
    assert "\x1b" not in ran.output
    assert KEY not in ran.output


def test_a_probe_of_a_service_with_the_newer_models_as_json_is_one_document(
    run: Run, network: Background, tmp_path: Path
) -> None:
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(TRACK.audio())
    (tmp_path / "speech.txt").write_text(TRACK.text)
    with hosted(network) as url:
        speech = ("--audio", tmp_path / "speech.wav", "--text", tmp_path / "speech.txt")
        ran = run("probe", url, "--api-key", KEY, "--json", "--param", "speech_model=u3-rt-pro", *speech)
    unexpected = [f for f in ran.json["findings"] if f["verdict"] != "passed" and f["check"] not in ("tls", *TIMED)]
    assert unexpected == []
    assert (ran.code, ran.json["is_good"], ran.json["protocol"]) == (ExitCode.OK, True, "v3")
    transcription = next(finding for finding in ran.json["findings"] if finding["check"] == "transcription")
    assert transcription == {
        "check": "transcription",
        "verdict": "passed",
        "text": "word error rate 0.0% over 8 words",
        "advice": "",
    }
    assert {"name", "count", "p50_ms", "p95_ms"} == set(ran.json["latencies"][0])


def test_no_proxy_is_asked_about_a_server_on_this_machine(
    run: Run, network: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with hosted(network) as url:
        ran = run("probe", url, "--api-key", KEY, "--quick")
    assert ran.code == ExitCode.OK, ran.output
    assert lines(ran)["reachable"].startswith("passed: ")


def test_nobody_there_is_a_network_error(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ran = run("probe", f"127.0.0.1:{port}", "--quick")
    assert ran.code == ExitCode.NETWORK
    assert lines(ran) == {"reachable": f"failed: 127.0.0.1:{port}: connection refused"}
    assert "→ check the port" in ran.output


def test_a_host_that_does_not_exist_is_a_network_error(run: Run) -> None:
    ran = run("probe", "no-such-host.invalid", "--quick")
    assert ran.code == ExitCode.NETWORK
    assert "→ check the spelling of the host" in ran.output


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (http.HTTPStatus.UNAUTHORIZED, "check the key"),
        (http.HTTPStatus.NOT_FOUND, "v3 is served at /v3/ws"),
        (http.HTTPStatus.GONE, "tympan bridge"),
        (http.HTTPStatus.SERVICE_UNAVAILABLE, "wait until it has loaded its model"),
        (http.HTTPStatus.BAD_GATEWAY, "see the log of the server, or of the proxy"),
    ],
)
def test_a_refused_upgrade_is_told_with_its_status(
    run: Run, network: Background, status: http.HTTPStatus, advice: str
) -> None:
    with hosted(network, Behaviour(refuse_upgrade=status)) as url:
        ran = run("probe", url, "--api-key", KEY, "--quick")
    assert ran.code == ExitCode.CHECK_FAILED
    assert lines(ran)["begin"] == f"failed: refused by HTTP: HTTP {status.value}"
    assert advice in ran.output


def test_a_silent_server_is_given_up(run: Run, network: Background) -> None:
    with hosted(network, Behaviour(is_silent=True)) as url:
        ran = run("probe", url, "--api-key", KEY, "--quick", "--timeout", "0.3")
    assert ran.code == ExitCode.CHECK_FAILED
    assert lines(ran)["begin"] == "failed: no Begin; the connection stays open"


def test_a_wrong_key_of_ours_is_told_as_such(run: Run, network: Background) -> None:
    with hosted(network) as url:
        ran = run("probe", url, "--api-key", "wrong", "--quick")
    assert ran.code == ExitCode.CHECK_FAILED
    assert "Invalid API key" in lines(ran)["begin"]
    assert "→ check the key" in ran.output


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that says the same to everybody and is no WebSocket server."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"", b"\0" * 2000], ids=["ssh", "nothing", "zeros"])
def test_what_is_no_websocket_server_is_told(run: Run, network: Background, answer: bytes) -> None:
    server: AbstractAsyncContextManager[str] = answering(answer)
    with network.entered(server) as url:
        ran = run("probe", url, "--quick", "--timeout", "1")
    assert ran.code == ExitCode.CHECK_FAILED
    assert lines(ran)["begin"].startswith("failed: not a WebSocket server")
    assert "check host, port and path" in ran.output


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_of(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_certificate_that_nobody_vouches_for_is_told(run: Run, network: Background, authority: trustme.CA) -> None:
    with hosted(network, tls=tls_of(authority)) as url:
        ran = run("probe", url, "--api-key", KEY, "--quick")
    assert ran.code == ExitCode.CHECK_FAILED
    assert lines(ran)["tls"].startswith("failed: certificate not trusted: ")
    assert "→ name your authority's certificate with --ca" in ran.output


def test_a_certificate_of_a_named_authority_passes(
    run: Run, network: Background, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with hosted(network, tls=tls_of(authority)) as url:
        ran = run("probe", url, "--api-key", KEY, "--quick", "--ca", tmp_path / "ca.pem")
    assert ran.code == ExitCode.OK, ran.output
    assert lines(ran)["tls"].startswith("passed: TLSv1.")
    assert lines(ran)["health"].startswith("passed")


def test_tls_asked_of_a_server_without_it_is_told(run: Run, network: Background) -> None:
    with hosted(network) as url:
        ran = run("probe", url.replace("ws://", "wss://"), "--quick", "--timeout", "2")
    assert ran.code == ExitCode.CHECK_FAILED
    assert lines(ran)["tls"].startswith("failed: TLS failed")
    assert "use ws:// for a server without TLS" in ran.output


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["ftp://host"], ExitCode.USAGE, "no address of a server"),
        (["host", "--param", "nonsense"], ExitCode.USAGE, "expected NAME=VALUE"),
        (["host", "--protocol", "v4"], ExitCode.USAGE, "expected v3 or v2"),
        (["host", "--text", "x"], ExitCode.USAGE, "give --audio too"),
        (["host", "--audio", "/no/such.wav"], ExitCode.MEDIA, "/no/such.wav"),
        (["host", "--ca", "/no/such.pem"], ExitCode.SETTINGS, "/no/such.pem"),
    ],
)
def test_what_cannot_be_probed_is_told_before_anything_else(
    run: Run, arguments: list[str], code: ExitCode, told: str
) -> None:
    ran = run("probe", *arguments)
    assert (ran.code, ran.output) == (code, "")
    assert told in ran.errors


def test_a_parameter_goes_with_every_session(run: Run, network: Background) -> None:
    with network.entered(HostedReplay(TRACK)) as service:
        run("probe", service.url, "--api-key", KEY, "--quick", "--param", "speech_model=u3-rt-pro")
        assert {visit.query.get("speech_model") for visit in service.visits} == {"u3-rt-pro"}
