"""The client without `async`: the same names, the same errors, one thread that always ends."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from running_service import CHUNK, KEY, Service, eventually, make_service
from staged_server import SHORT, open_things
from test_aio import Source

from tympan.client import (
    AuthError,
    NetworkError,
    SessionOver,
    SessionParameters,
    SilentServer,
    Termination,
    Turn,
    UpdateConfiguration,
    aio,
)
from tympan.client.sync import Session, connect


@pytest.fixture
def service() -> Iterator[Service]:
    with make_service() as service:
        yield service


@pytest.fixture(autouse=True)
def nothing_is_left(service: Service) -> Iterator[None]:
    before = open_things()
    yield
    assert eventually(lambda: not open_things() - before), f"a thread or a descriptor is left: {open_things() - before}"


FORMATTED = SessionParameters(format_turns=True)


def transcripts(session: Session) -> list[str]:
    return [event.transcript for event in session if isinstance(event, Turn) and event.turn_is_formatted]


def test_a_conversation_reads_as_it_does_with_async(service: Service) -> None:
    with connect(service.url, api_key=KEY, parameters=FORMATTED) as session:
        assert session.begin.id
        for _ in range(60):
            session.send_audio(CHUNK)
        session.keep_alive()
        session.force_endpoint()
        session.update(UpdateConfiguration(max_turn_silence=900))
        session.terminate()
        assert transcripts(session) == ["Hi, my name is Sonny."]
        assert session.receive() is None


def test_one_thread_sends_while_another_iterates(service: Service) -> None:
    with connect(service.url, api_key=KEY, parameters=FORMATTED) as session:

        def send() -> None:
            session.send_from([CHUNK] * 60)
            session.terminate()

        sender = threading.Thread(target=send)
        sender.start()
        assert transcripts(session) == ["Hi, my name is Sonny."]
        sender.join()


def test_a_source_is_sent_by_the_background_thread_and_closed(service: Service) -> None:
    source = Source(chunks=60)
    with connect(service.url, api_key=KEY, parameters=FORMATTED) as session:
        session.send_from(source)
        session.terminate()
        assert transcripts(session) == ["Hi, my name is Sonny."]
    assert source.close_count > 0


def test_an_iterable_stops_when_the_session_is_over(service: Service) -> None:
    with connect(service.url, api_key=KEY) as session:
        session.terminate()
        session.send_from([CHUNK])
        with pytest.raises(SessionOver):
            session.send_audio(CHUNK)
        assert isinstance(list(session)[-1], Termination)


def test_a_thread_that_sends_after_the_block_was_left_is_told_that_the_session_is_over(service: Service) -> None:
    with connect(service.url, api_key=KEY) as session:
        pass
    with pytest.raises(SessionOver, match="has been left"):
        session.send_audio(CHUNK)
    session.send_from([CHUNK])


def test_no_call_of_another_thread_outlives_the_block(service: Service) -> None:
    ends: list[BaseException] = []

    def send_on(session: Session) -> None:
        try:
            while True:
                session.keep_alive()
        except BaseException as error:
            ends.append(error)

    for _ in range(20):
        with connect(service.url, api_key=KEY) as session:
            sender = threading.Thread(target=send_on, args=(session,), daemon=True)
            sender.start()
        sender.join(timeout=10)
        assert not sender.is_alive()
    assert [type(end) for end in ends] == [SessionOver] * 20


def test_errors_are_those_of_the_asynchronous_client(service: Service) -> None:
    with pytest.raises(AuthError, match="Invalid API key"), connect(service.url, api_key="wrong"):
        pass
    with pytest.raises(NetworkError, match="cannot connect"), connect("ws://127.0.0.1:1"):
        pass


class UserError(Exception):
    """What a caller's own code raises."""


@pytest.mark.parametrize("error", [UserError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_block_passes_through(service: Service, error: type[BaseException]) -> None:
    with pytest.raises(error), connect(service.url, api_key=KEY):
        raise error


def test_ctrl_c_while_a_call_waits_ends_the_session(service: Service, press_ctrl_c_soon: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt), connect(service.url, api_key=KEY) as session:
        wait_for_ctrl_c(session, press_ctrl_c_soon)


def wait_for_ctrl_c(session: Session, press_ctrl_c_soon: Callable[[], None]) -> None:
    press_ctrl_c_soon()
    list(session)


@pytest.fixture
def press_ctrl_c_soon() -> Callable[[], None]:
    def press() -> None:
        threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    return press


def test_a_server_that_says_nothing_after_terminate_is_not_waited_for(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(SilentServer):
        connect(f"127.0.0.1:{deaf.getsockname()[1]}", timeouts=SHORT).__enter__()


def test_it_offers_what_the_asynchronous_client_offers() -> None:
    def offered(session: type) -> set[str]:
        return {name for name in vars(session) if not name.startswith("_")} - {"end"}

    assert offered(Session) | {"begin"} == offered(aio.Session) | {"begin"}
