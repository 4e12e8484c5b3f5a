"""The listening side of a server: its sockets, how uvicorn runs on them, and how it stops.

At SIGTERM or Ctrl+C nothing new is accepted, every session tells its last words, and all is closed within
`STOP_S`; a second signal cuts everything at once. Which app is served is the caller's choice.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Protocol, cast

import uvicorn
from starlette.applications import Starlette
from websockets import http11

from tympan.core.errors import SettingsError
from tympan.server.config import NetworkConfig
from tympan.server.rounds import Rounds
from tympan.server.tls import check_tls, without_tickets
from tympan.server.transports import BoundedHttp, BoundedWebSocket

STOP_S = 10
"""Longest time from the signal to the end of the process."""

DRAIN_S = 5.0
"""Of that, the time for last words."""

LONGEST_REQUEST_BYTES = 65_536
"""Of the line and headers of a request: the longest texts that parameters may hold, in any script, and 100 key terms
come in the query, where a character takes up to 12 bytes."""

_GRACE_S = 2
_BACKLOG = 512


class Drainable(Protocol):
    """Whoever holds the sessions of a server."""

    async def drain(self, timeout_s: float, is_hurried: Callable[[], bool]) -> None:
        """End every session; returns when all clients were told, or as soon as `is_hurried`."""


class Server(uvicorn.Server):
    """uvicorn's server with sessions drained before connections are cut, and signals that end it quietly."""

    def __init__(self, config: uvicorn.Config, sessions: Drainable) -> None:
        super().__init__(config)
        self._sessions = sessions

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at the second signal, at once. The signal isn't raised again afterwards: it was obeyed."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, let sessions end, then close what is left."""
        for server in self.servers:
            server.close()
        await self._sessions.drain(DRAIN_S, lambda: self.force_exit)
        await super().shutdown(sockets)


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets, one for each address of the host; all have the same port.

    Raises:
        SettingsError: no such host, or the port is in use or forbidden.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"host: cannot listen on {host!r}: {error}") from error
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, _, _, _, address in infos:
        bound_port = sockets[0].getsockname()[1] if sockets else port
        try:
            listening = socket.create_server((str(address[0]), bound_port), family=family, backlog=_BACKLOG)
            # Accepted sockets inherit it. asyncio sets it only on sockets made with an explicit protocol; without
            # it a formatted final waits up to 40 ms for the acknowledgement of the raw one.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sockets.append(listening)
        except OSError as error:
            failure = error
    if not sockets:
        reason = os.strerror(failure.errno) if failure is not None and failure.errno else failure
        raise SettingsError(f"port: cannot listen on {host}:{port}: {reason}") from failure
    return sockets


def listening_config(app: Starlette, network: NetworkConfig) -> uvicorn.Config:
    """How uvicorn serves the app. Its log is silent below warnings: its lines show queries with tokens.

    Raises:
        SettingsError: the TLS files can't be used.
    """
    if network.tls is not None:
        check_tls(network.tls)
    # uvicorn lets the library read the upgrade once more, with the limit that it has for the whole process.
    http11.MAX_LINE_LENGTH = LONGEST_REQUEST_BYTES
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=BoundedHttp,
        ws=cast(type[asyncio.Protocol], partial(BoundedWebSocket, Rounds())),
        ws_max_size=network.max_message_bytes,
        ws_ping_interval=network.ping_interval_s,
        ws_ping_timeout=network.ping_timeout_s,
        ws_per_message_deflate=False,  # audio doesn't shrink, and a small message may unpack to a huge one
        h11_max_incomplete_event_size=LONGEST_REQUEST_BYTES,
        limit_concurrency=network.max_connections,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=None if network.tls is None else network.tls.cert,
        ssl_keyfile=None if network.tls is None else network.tls.key,
        ssl_context_factory=None if network.tls is None else without_tickets,
    )
