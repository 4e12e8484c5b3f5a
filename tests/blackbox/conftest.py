"""Which service is checked, and our own servers with what no foreign one can be asked for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from endpoint import Endpoint, Strictness
from own_servers import KEY, NEW_SESSIONS_PER_MINUTE, SESSIONS_PER_KEY, OwnServer, Servers, start
from played_sessions import Player
from speech import default_recording
from talk import write_script

OWN = (Strictness.LENIENT, Strictness.STRICT)
ELSEWHERE = "needs a server whose settings the suite can choose; leave --endpoint out to run it against ours"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(
        "conformance", "the service that is checked; without --endpoint, a tympan server of its own"
    )
    group.addoption("--endpoint", metavar="URL", help="ws://HOST:PORT or wss://HOST, without a path")
    group.addoption("--key", default="", help="API key of the endpoint")
    group.addoption("--ca", metavar="FILE", help="certificate authority that the endpoint's certificate is of, PEM")
    group.addoption(
        "--expect-profile",
        choices=[str(strictness) for strictness in OWN],
        help="what the endpoint does with values out of their range; without it, checks of that are skipped",
    )
    group.addoption("--speech", metavar="WAV", help="16 kHz mono PCM16 speech; else the recording of the model's wheel")
    group.addoption(
        "--pace", type=float, default=1.0, metavar="N", help="play speech at N times its own pace; 0: without a pause"
    )
    group.addoption(
        "--slow", action="store_true", help="also checks that wait for timers of the endpoint, 5 s and more"
    )
    group.addoption(
        "--sessions-per-minute", type=float, default=0, metavar="N", help="open no more, where a service counts them"
    )


def pytest_configure(config: pytest.Config) -> None:
    """What can't be used is told at once, in one line."""
    url, key = (option(config, name) for name in ("--endpoint", "--key"))
    for name in ("--speech", "--ca"):
        if (file := option(config, name)) and not Path(file).is_file():
            raise pytest.UsageError(f"{name}: there is no file {file}")
    for name in ("--pace", "--sessions-per-minute"):
        if (number := float(option(config, name) or 0)) < 0:
            raise pytest.UsageError(f"{name}: expected 0 or more, got {number:g}")
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise pytest.UsageError(f"--endpoint: expected ws://HOST:PORT or wss://HOST without a path, got {url}")
    if not key:
        raise pytest.UsageError("--key is missing: what the endpoint accepts; any text where nobody is asked for one")
    try:
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        socket.create_connection((parts.hostname, port), timeout=10).close()
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--endpoint: nobody answers at {parts.netloc}: {error}") from error


def option(config: pytest.Config, name: str) -> str:
    """The value of an option; empty where the whole test tree is run, which has no such options."""
    return str(config.getoption(name, default="") or "")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_proof = collection_path.name == "proof"
    return True if is_proof and option(config, "--endpoint") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "service" in metafunc.fixturenames:
        foreign = option(metafunc.config, "--endpoint")
        names = ["endpoint"] if foreign else [str(strictness) for strictness in OWN]
        metafunc.parametrize("service", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What our own servers play."""
    return write_script(tmp_path_factory.mktemp("talk"))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Our own servers, until the end."""
    running = Servers()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def service(request: pytest.FixtureRequest) -> Endpoint:
    """The service that is checked."""
    url = option(request.config, "--endpoint")
    if url:
        return _foreign(request.config, url)
    server: OwnServer = request.getfixturevalue(f"own_{request.param}")
    return server.endpoint


@pytest.fixture(scope="session")
def lenient_service(request: pytest.FixtureRequest) -> Endpoint:
    """The service, or the lenient one of ours: for what doesn't depend on strictness and takes long."""
    url = option(request.config, "--endpoint")
    if url:
        return _foreign(request.config, url)
    server: OwnServer = request.getfixturevalue("own_lenient")
    return server.endpoint


@pytest.fixture
def endpoint(service: Endpoint) -> Iterator[Endpoint]:
    """The same, for one test: its connections are closed then."""
    yield service
    service.hang_up()


@pytest.fixture(scope="session")
def player(request: pytest.FixtureRequest) -> Player:
    """Plays sessions, each once."""
    given = option(request.config, "--speech")
    return Player(Path(given) if given else default_recording())


@pytest.fixture(scope="session")
def own_lenient(servers: Servers, script: Path) -> OwnServer:
    return servers.start("--api-key", KEY, "--script", str(script))


@pytest.fixture(scope="session")
def own_strict(servers: Servers, script: Path) -> OwnServer:
    flags = ("--api-key", KEY, "--script", str(script))
    return servers.start(*flags, strictness=Strictness.STRICT)


@pytest.fixture(scope="session")
def ours(request: pytest.FixtureRequest) -> None:
    """For checks that need settings: skipped on a foreign service."""
    if option(request.config, "--endpoint"):
        pytest.skip(ELSEWHERE)


@pytest.fixture(scope="session")
def limited_server(servers: Servers, script: Path) -> OwnServer:
    flags = ("--max-sessions", "1", "--max-message-bytes", "200000", "--max-backlog-s", "1")
    settings = {"TYMPAN_SINGLE_USE_TOKENS": "true"}
    return servers.start("--api-key", KEY, "--script", str(script), *flags, settings=settings)


@pytest.fixture
def limited(ours: None, limited_server: OwnServer) -> Iterator[Endpoint]:
    """Everything is narrow: places, messages, backlog; a token opens one session."""
    yield limited_server.endpoint
    limited_server.is_let_alone()


@pytest.fixture(scope="session")
def counting_server(servers: Servers, script: Path) -> OwnServer:
    names = (KEY, "another-key", "a-third-key", "a-fourth-key", "a-fifth-key")
    keys = [flag for name in names for flag in ("--api-key", name)]
    at_once = ("--max-sessions-per-key", str(SESSIONS_PER_KEY))
    in_a_minute = ("--max-new-sessions-per-minute", str(NEW_SESSIONS_PER_MINUTE))
    return servers.start(*keys, "--script", str(script), *at_once, *in_a_minute)


@pytest.fixture
def counting(ours: None, counting_server: OwnServer) -> Iterator[Endpoint]:
    """A key opens few sessions, and few in a minute. Nothing here ends one that the client holds."""
    yield counting_server.endpoint
    counting_server.endpoint.hang_up()


@pytest.fixture(scope="session")
def brief_server(servers: Servers, script: Path) -> OwnServer:
    """Sessions last 4 s, whatever their clients do."""
    return servers.start("--api-key", KEY, "--script", str(script), "--max-session-s", "4")


@pytest.fixture
def brief(ours: None, brief_server: OwnServer) -> Iterator[Endpoint]:
    """The same, for one test."""
    yield brief_server.endpoint
    brief_server.endpoint.hang_up()


@pytest.fixture(scope="session")
def impatient_server(servers: Servers, script: Path) -> OwnServer:
    """Whoever says nothing for 3 s is let go."""
    flags = ("--api-key", KEY, "--script", str(script))
    return servers.start(*flags, settings={"TYMPAN_INACTIVITY_TIMEOUT_S": "3"})


@pytest.fixture
def impatient(ours: None, impatient_server: OwnServer) -> Iterator[Endpoint]:
    """The same, for one test."""
    yield impatient_server.endpoint
    impatient_server.endpoint.hang_up()


@pytest.fixture(scope="session")
def open_server(servers: Servers, script: Path) -> OwnServer:
    return servers.start("--no-auth", "--script", str(script))


@pytest.fixture
def open_door(ours: None, open_server: OwnServer) -> Iterator[Endpoint]:
    """Nobody is asked for a key."""
    yield open_server.endpoint
    open_server.endpoint.hang_up()


@pytest.fixture(scope="session")
def failing_server(servers: Servers) -> OwnServer:
    return servers.start("--api-key", KEY, "--engine", "failing", has_failing_engine=True)


@pytest.fixture
def failing(ours: None, failing_server: OwnServer) -> Iterator[OwnServer]:
    """Its engine breaks at the first audio."""
    yield failing_server
    failing_server.endpoint.hang_up()


@pytest.fixture
def stopping(ours: None, script: Path) -> Iterator[OwnServer]:
    """A test's own, which it stops."""
    server = start("--api-key", KEY, "--script", str(script))
    yield server
    server.endpoint.hang_up()
    server.is_asked_to_stop()
    server.ends()


def _foreign(config: pytest.Config, url: str) -> Endpoint:
    per_minute = float(config.getoption("--sessions-per-minute"))
    authority = ssl.create_default_context(cafile=option(config, "--ca") or None) if url.startswith("wss:") else None
    return Endpoint(
        url.rstrip("/"),
        option(config, "--key"),
        Strictness(option(config, "--expect-profile") or Strictness.UNKNOWN),
        realtime_factor=float(config.getoption("--pace")),
        interval_s=60 / per_minute if per_minute else 0.0,
        authority=authority,
    )
