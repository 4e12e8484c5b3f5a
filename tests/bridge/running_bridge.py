"""A real bridge on a loopback port, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import Any

from running_service import PATIENCE_S, Client, eventually
from websockets.sync.client import connect

from tympan.bridge.app import create_app
from tympan.bridge.config import BridgeConfig
from tympan.bridge.switchboard import Switchboard
from tympan.server.listening import Server, bind, listening_config
from unhurried_loop import UnhurriedLoop

BRIDGE_KEY = "the-key-of-the-bridge"


class RunningBridge:
    """A bridge whose clients hang up when it stops."""

    def __init__(self, config: BridgeConfig) -> None:
        self._clients = ExitStack()
        self.switchboard = Switchboard(config)
        self.server = Server(listening_config(create_app(self.switchboard), config.network), self.switchboard)
        self._sockets = bind("127.0.0.1", 0)
        self.port = self._sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="bridge")
        self._thread.start()
        assert eventually(lambda: self.server.started)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=UnhurriedLoop) as runner:
            self.loop = runner.get_loop()
            runner.run(self.server.serve(self._sockets))

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connects(self, query: str = "sample_rate=16000", *, key: str | None = BRIDGE_KEY, **options: Any) -> Client:
        headers = {} if key is None else {"Authorization": key}
        target = f"ws://127.0.0.1:{self.port}/v2/realtime/ws?{query}"
        return Client(
            self._clients.enter_context(connect(target, additional_headers=headers, open_timeout=PATIENCE_S, **options))
        )

    def drains(self, patience_s: float) -> None:
        """What a signal does, in the background."""
        asyncio.run_coroutine_threadsafe(self.switchboard.drain(patience_s), self.loop)

    def is_idle(self) -> bool:
        """No call, no place and no connection is left."""
        state = self.server.server_state
        return (
            self.switchboard.admission.active == 0
            and not self.switchboard.calls
            and not state.connections
            and not state.tasks
        )

    def hang_up(self) -> None:
        """Close every client."""
        self._clients.close()

    def stop(self) -> None:
        self.hang_up()
        self.server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the bridge didn't stop"
