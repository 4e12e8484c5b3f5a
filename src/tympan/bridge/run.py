"""Run a bridge in this process, in the foreground, until a signal stops it as it stops a server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from tympan.bridge.app import create_app
from tympan.bridge.config import BridgeConfig
from tympan.bridge.switchboard import Switchboard
from tympan.server.listening import Server, listening_config


async def serve(
    config: BridgeConfig, sockets: list[socket.socket], on_ready: Callable[[], None] = lambda: None
) -> None:
    """Serve until a signal comes. `on_ready` is called once, when sessions may begin.

    The service behind the bridge is first reached by the first session.

    Raises:
        SettingsError: the TLS files can't be used.
    """
    switchboard = Switchboard(config)
    server = Server(listening_config(create_app(switchboard), config.network), switchboard)
    serving = asyncio.create_task(server.serve(sockets))
    on_ready()
    await serving
