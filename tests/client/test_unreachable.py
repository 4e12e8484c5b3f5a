"""What is said of a host that can't be reached."""

import socket

import pytest

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
