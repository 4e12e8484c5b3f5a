"""A server in a thread of this process, on a loopback port that the system chooses. Shell: holds no rules."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
import time
from ipaddress import ip_network

import uvicorn

from tympan.core.config import SessionConfig, SessionLimits
from tympan.engines.scripted import ScriptedRecognizer
from tympan.runtime.link import LocalLink
from tympan.server.app import create_app
from tympan.server.config import AuthConfig, OutboundConfig, ServerConfig
from tympan.server.gateway import Gateway, ServedEngine
from tympan.server.listening import Server, bind, listening_config
from tympan.server.stage import Stage

_HOST = "127.0.0.1"
_RECEIVERS = (ip_network("127.0.0.0/8"), ip_network("::1"))
"""Webhooks go to receivers of the test as well."""
_START_S = 10.0
_STOP_S = 10.0
_POLL_S = 0.001
_LAST_WORDS_S = 0.5


class _QuickServer(Server):
    """One that ends at once: a test that is over wants nothing more to be told, nor to wait for a tick."""

    def __init__(self, config: uvicorn.Config, sessions: Gateway) -> None:
        super().__init__(config, sessions)
        self._gateway = sessions
        self.loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    async def main_loop(self) -> None:
        self.loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in self.servers:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_LAST_WORDS_S)
        await self._gateway.deliveries.drain(_LAST_WORDS_S)

    def stop(self) -> None:
        """End, from another thread."""
        self.should_exit = True
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stopping.set)


class RunningServer:
    """It accepts connections from when it is made until `stop`."""

    def __init__(self, recognizer: ScriptedRecognizer, stage: Stage, api_key: str, *, is_strict: bool) -> None:
        config = ServerConfig(
            auth=AuthConfig(api_keys=(api_key,), token_secret=secrets.token_hex()),
            session=SessionConfig(limits=SessionLimits(is_strict=is_strict)),
            outbound=OutboundConfig(networks=_RECEIVERS),
            max_sessions=64,
        )
        gateway = Gateway(config)
        self._server = _QuickServer(listening_config(create_app(gateway), config.network), gateway)
        self._sockets = bind(_HOST, 0)
        self.port: int = self._sockets[0].getsockname()[1]
        self._link = LocalLink(recognizer, worker_count=1)
        gateway.open_for(ServedEngine(recognizer.name, recognizer.model, self._link, stage))
        # A daemon: a test that is interrupted must not keep the process.
        self._thread = threading.Thread(target=self._run, name="tympan test double", daemon=True)
        self._thread.start()
        self._wait_for_start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{_HOST}:{self.port}"

    def stop(self) -> None:
        """Cut every connection and end the thread. Idempotent.

        Raises:
            RuntimeError: it doesn't end.
        """
        self._server.stop()
        self._thread.join(_STOP_S)
        self._link.shut_down()
        for listening in self._sockets:
            listening.close()
        if self._thread.is_alive():
            raise RuntimeError(f"the test double at {self.address} doesn't stop within {_STOP_S:g} s")

    def _run(self) -> None:
        asyncio.run(self._server.serve(self._sockets))

    def _wait_for_start(self) -> None:
        give_up_at = time.monotonic() + _START_S
        while not self._server.started:
            if time.monotonic() > give_up_at or not self._thread.is_alive():
                raise RuntimeError(f"the test double at {self.address} doesn't start")
            time.sleep(_POLL_S)
