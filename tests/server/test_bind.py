"""Where the server listens."""

from __future__ import annotations

import socket

import pytest

from tympan.core.errors import SettingsError
from tympan.server.listening import bind


def test_small_messages_leave_an_accepted_connection_at_once() -> None:
    (listening,) = bind("127.0.0.1", 0)
    with listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_in_use_is_a_wrong_setting() -> None:
    (listening,) = bind("127.0.0.1", 0)
    with listening, pytest.raises(SettingsError, match=r"port: cannot listen on 127\.0\.0\.1"):
        bind("127.0.0.1", listening.getsockname()[1])


def test_a_host_that_is_none_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="host: cannot listen"):
        bind("no such host", 0)
