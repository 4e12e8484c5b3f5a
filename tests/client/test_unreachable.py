"""What is said of a host that can't be reached."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tympan.client import ClientError, NetworkError, SilentServer, TlsError, mint_token
from tympan.client.connection import Timeouts
from tympan.client.sync import connect
from tympan.client.unreachable import why_unreachable


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"),
        OSError(
            "Multiple exceptions: [Errno 111] Connect call failed ('::1', 1, 0, 0), "
            "[Errno 111] Connect call failed ('127.0.0.1', 1)"
        ),
    ],
)
def test_a_port_where_nothing_listens_is_called_so(error: OSError) -> None:
    assert why_unreachable(error).startswith("connection refused: nothing listens there")


def test_addresses_that_fail_in_different_ways_are_told_as_they_are() -> None:
    error = OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] Network is unreachable")

    assert why_unreachable(error) == str(error)


def test_a_host_that_nobody_knows_is_called_so() -> None:
    assert (
        why_unreachable(socket.gaierror(-2, "Name or service not known")) == "no host of that name; check the address"
    )


def test_anything_else_keeps_its_words() -> None:
    assert (
        why_unreachable(ConnectionResetError(104, "Connection reset by peer")) == "[Errno 104] Connection reset by peer"
    )


def failure(act: Callable[[], object]) -> ClientError:
    with pytest.raises(ClientError) as raised:
        act()
    return raised.value


def of_both(url: str, patience_s: float = 10) -> tuple[ClientError, ClientError]:
    """What a session and a token fail with there."""
    return (
        failure(lambda: connect(url, api_key="any", timeouts=Timeouts(open_s=patience_s)).__enter__()),
        failure(lambda: mint_token(url, api_key="any", timeout_s=patience_s)),
    )


@contextmanager
def answering(listening: socket.socket, answer: bytes) -> Iterator[None]:
    """Two connections are answered like this, whatever they say."""

    def answer_both() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

    thread = threading.Thread(target=answer_both)
    thread.start()
    yield
    thread.join()


def assert_alike(errors: tuple[ClientError, ClientError], expected: type[ClientError]) -> None:
    """The same type, and the same words but for the address."""
    assert [type(error) for error in errors] == [expected, expected]
    session, token = (str(error).replace(error.context.address or "", "ADDRESS") for error in errors)
    assert session == token


def test_a_session_and_a_token_say_the_same_of_a_port_where_nothing_listens() -> None:
    assert_alike(of_both("127.0.0.1:1"), NetworkError)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_session_and_a_token_say_the_same_of_a_host_that_does_not_answer(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert_alike(of_both(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", patience_s=0.1), SilentServer)


def test_a_session_and_a_token_say_the_same_of_a_host_that_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, answering(listening, b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        assert_alike(of_both(f"wss://127.0.0.1:{listening.getsockname()[1]}"), TlsError)
