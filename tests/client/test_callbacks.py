"""Callbacks in the style of the official SDK: all in one thread, in order; what they raise is never lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from running_service import CHUNK, KEY, Service, eventually, make_service
from staged_server import open_things

from tympan.client import (
    AuthError,
    Begin,
    CallbackError,
    ClientError,
    NetworkError,
    SessionParameters,
    Termination,
    Turn,
    UpdateConfiguration,
)
from tympan.client.callbacks import StreamingClient
from tympan.core.errors import ServerStopping, UsageError

FORMATTED = SessionParameters(format_turns=True)


@pytest.fixture
def service() -> Iterator[Service]:
    with make_service() as service:
        yield service


@pytest.fixture(autouse=True)
def nothing_is_left(service: Service) -> Iterator[None]:
    before = open_things()
    yield
    assert eventually(lambda: not open_things() - before), f"a thread or a descriptor is left: {open_things() - before}"


@pytest.fixture
def client(service: Service) -> StreamingClient:
    return StreamingClient(service.url, api_key=KEY, reconnect=None)


def test_events_are_told_in_order_by_one_thread(client: StreamingClient) -> None:
    told: list[object] = []
    threads: set[str] = set()

    def tell(_: StreamingClient, event: object) -> None:
        told.append(event)
        threads.add(threading.current_thread().name)

    for event_type in (Begin, Turn, Termination):
        client.on(event_type, tell)
    client.connect(FORMATTED)
    client.stream([CHUNK] * 50)
    client.stream(CHUNK)
    client.force_endpoint()
    client.update(UpdateConfiguration(max_turn_silence=900))
    client.disconnect(terminate=True)
    client.disconnect(terminate=True)

    assert (type(told[0]), type(told[-1])) == (Begin, Termination)
    assert [turn.transcript for turn in told if isinstance(turn, Turn) and turn.turn_is_formatted] == [
        "Hi, my name is Sonny."
    ]
    assert threads == {"tympan client callbacks"}


def test_an_exception_in_a_callback_is_logged_and_raised_and_ends_nothing(
    client: StreamingClient, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[object] = []

    def fails(_: StreamingClient, turn: Turn) -> None:
        raise LookupError("not there")

    client.on(Turn, fails)
    client.on(Turn, lambda _, turn: told.append(turn))
    client.on(Termination, lambda _, end: told.append(end))
    client.connect(FORMATTED)
    client.stream([CHUNK] * 60)
    with pytest.raises(CallbackError, match="callback for Turn") as raised:
        client.disconnect(terminate=True)

    assert "a callback failed" in caplog.text
    assert isinstance(raised.value.__cause__, LookupError)
    assert isinstance(told[-1], Termination)


def fails_soon(client: StreamingClient, service: Service) -> None:
    client.connect(FORMATTED)
    client.stream([CHUNK] * 10)
    (conversation,) = service.gateway.conversations
    service.loop.call_soon_threadsafe(lambda: conversation.end(ServerStopping("going away"), at_once=True))


def test_a_failure_is_told_to_whoever_asked_for_errors(client: StreamingClient, service: Service) -> None:
    told: list[ClientError] = []
    client.on(ClientError, lambda _, error: told.append(error))
    fails_soon(client, service)
    assert eventually(lambda: bool(told))
    client.stream([CHUNK] * 10)
    client.disconnect()

    assert [str(error) for error in told] == ["Session Cancelled: going away"]


def test_a_failure_that_nobody_asked_for_is_raised(client: StreamingClient, service: Service) -> None:
    fails_soon(client, service)
    with pytest.raises(ClientError, match="going away"):
        client.disconnect(terminate=True)


def test_a_callback_may_end_the_session(client: StreamingClient) -> None:
    is_told = threading.Event()

    def end(ending: StreamingClient, turn: Turn) -> None:
        ending.disconnect(terminate=True)
        is_told.set()

    client.on(Turn, end)
    client.connect(FORMATTED)
    client.stream([CHUNK] * 60)
    assert is_told.wait(5)
    client.disconnect(terminate=True)


def test_without_terminate_it_leaves_at_once(client: StreamingClient, service: Service) -> None:
    told: list[Termination] = []
    client.on(Termination, lambda _, end: told.append(end))
    client.connect(FORMATTED)
    client.stream([CHUNK] * 10)
    client.disconnect()

    assert told == []
    assert eventually(service.is_idle)


def test_a_client_can_be_used_again(client: StreamingClient) -> None:
    for _ in range(2):
        client.connect()
        with pytest.raises(UsageError, match="while a session is open"):
            client.connect()
        client.disconnect(terminate=True)
    with pytest.raises(UsageError, match="no session is open"):
        client.stream(CHUNK)


def test_connect_raises_what_is_wrong(service: Service) -> None:
    with pytest.raises(AuthError):
        StreamingClient(service.url, api_key="wrong").connect()
    with pytest.raises(NetworkError):
        StreamingClient("127.0.0.1:1").connect()
