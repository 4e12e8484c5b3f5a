"""Ports of this machine that nobody else is given."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """A port of the loopback device: one program may listen at it that is told to, and until then nobody does.

    A port that was found free and let go could be given to any other program, the tests beside this one among them.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as every server has it: so both may be bound
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
