"""Run a server in this process, in the foreground, until it is told to stop.

Order of things: the port is bound first, so that a port in use is known before a model is loaded; then
health answers 503 and WebSockets are refused with HTTP 503 while the model loads in a thread; then sessions
may begin. At SIGTERM or Ctrl+C nothing new is accepted, every session tells its last words, and all is
closed within `STOP_S`; a second signal cuts everything at once.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from tympan.core.errors import SettingsError
from tympan.engines import registry
from tympan.runtime.link import LocalLink
from tympan.server.app import create_app
from tympan.server.config import NetworkConfig, ServerConfig
from tympan.server.gateway import Gateway, ServedEngine
from tympan.server.transports import BoundedHttp, BoundedWebSocket

STOP_S = 10
"""Longest time from the signal to the end of the process."""

DRAIN_S = 5.0
"""Of that, the time for last words."""

_GRACE_S = 2
_BACKLOG = 512


class Server(uvicorn.Server):
    """uvicorn's server with sessions drained before connections are cut, and signals that end it quietly."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at the second signal, at once. The signal isn't raised again afterwards: it was obeyed."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, let sessions end, then close what is left."""
        for server in self.servers:
            server.close()
        await self._gateway.drain(DRAIN_S, lambda: self.force_exit)
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


def uvicorn_config(gateway: Gateway) -> uvicorn.Config:
    """How uvicorn serves the app. Its log is silent below warnings: its lines show queries with tokens."""
    network: NetworkConfig = gateway.config.network
    return uvicorn.Config(
        create_app(gateway),
        loop="asyncio",
        http=BoundedHttp,
        ws=BoundedWebSocket,
        ws_max_size=network.max_message_bytes,
        ws_ping_interval=network.ping_interval_s,
        ws_ping_timeout=network.ping_timeout_s,
        ws_per_message_deflate=False,  # audio doesn't shrink, and a small message may unpack to a huge one
        limit_concurrency=network.max_connections,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


async def serve(
    config: ServerConfig, sockets: list[socket.socket], on_ready: Callable[[], None] = lambda: None
) -> None:
    """Serve until a signal comes. `on_ready` is called once, when sessions may begin.

    Raises:
        ModelError: the engine can't be loaded.
    """
    gateway = Gateway(config)
    server = Server(uvicorn_config(gateway), gateway)
    serving = asyncio.create_task(server.serve(sockets))
    try:
        await _listen(config, gateway, server, serving, on_ready)
    finally:
        server.should_exit = True
        await serving


async def _listen(
    config: ServerConfig,
    gateway: Gateway,
    server: Server,
    serving: asyncio.Task[None],
    on_ready: Callable[[], None],
) -> None:
    engine = config.engine
    recognizer = await asyncio.to_thread(registry.load, engine.engine, engine.model, engine.options)
    link = LocalLink(recognizer, engine.workers)
    try:
        if not server.should_exit:
            gateway.open_for(ServedEngine(recognizer.name, recognizer.model, link))
            on_ready()
            await serving
    finally:
        await asyncio.to_thread(link.shut_down)
        recognizer.close()
