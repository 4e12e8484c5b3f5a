"""Run a server in this process, in the foreground, until it is told to stop.

Order of things: the port is bound first, so that a port in use is known before a model is loaded; then
health answers 503 and WebSockets are refused with HTTP 503 while the model loads in a thread; then sessions
may begin. What happens at a signal is told in `listening`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable

from tympan.dsp.decode import can_decompress
from tympan.engines import registry
from tympan.engines.base import PlaysScript
from tympan.runtime.link import LocalLink
from tympan.server.app import create_app
from tympan.server.config import ServerConfig
from tympan.server.gateway import Gateway, ServedEngine
from tympan.server.listening import Server, listening_config
from tympan.server.stage import Stage

logger = logging.getLogger("tympan.server")

SWITCH_S = 0.0005
"""How long the event loop waits for an engine's thread that holds the interpreter: a tenth of Python's default. It does
so after every system call, and a message takes several."""


async def serve(
    config: ServerConfig, sockets: list[socket.socket], on_ready: Callable[[], None] = lambda: None
) -> None:
    """Serve until a signal comes. `on_ready` is called once, when sessions may begin.

    Raises:
        ModelError: the engine can't be loaded.
    """
    sys.setswitchinterval(SWITCH_S)
    gateway = Gateway(config)
    server = Server(listening_config(create_app(gateway), config.network), gateway)
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
            stage = Stage(recognizer.player) if isinstance(recognizer, PlaysScript) else None
            gateway.open_for(ServedEngine(recognizer.name, recognizer.model, link, stage))
            on_ready()
            if not can_decompress():
                logger.info('compressed audio will be refused; to take it, pip install "tympan[compressed]"')
            await serving
    finally:
        await asyncio.to_thread(link.shut_down)
        recognizer.close()
