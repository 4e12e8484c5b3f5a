"""A real bridge on a loopback port, in a thread of the test's process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from running_server import RunningServer
from running_service import Client
from websockets.sync.client import connect

from tympan.bridge.app import create_app
from tympan.bridge.config import BridgeConfig
from tympan.bridge.switchboard import Switchboard
from tympan.server.listening import Server, listening_config

BRIDGE_KEY = "the-key-of-the-bridge"


class RunningBridge(RunningServer):
    """A bridge; the service behind it runs elsewhere."""

    def __init__(self, config: BridgeConfig) -> None:
        self.switchboard = Switchboard(config)
        app = create_app(self.switchboard)
        super().__init__(Server(listening_config(app, config.network), self.switchboard), "bridge")

    def connects(self, query: str = "sample_rate=16000", *, key: str | None = BRIDGE_KEY, **options: Any) -> Client:
        headers = {} if key is None else {"Authorization": key}
        target = f"ws://127.0.0.1:{self.port}/v2/realtime/ws?{query}"
        return Client(self._clients.enter_context(connect(target, additional_headers=headers, **options)))

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

    def counts(self, name: str, **labels: str) -> float:
        """A metric of the bridge."""
        return self.switchboard.metrics.registry.get_sample_value(f"tympan_bridge_{name}", labels) or 0.0


Start = Callable[..., RunningBridge]


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    """Types in order, finals by their text, without partials."""
    named = [(message.get("message_type", "error"), message.get("text", "")) for message in messages]
    return [text if kind == "FinalTranscript" else kind for kind, text in named if kind != "PartialTranscript"]


def begins(client: Client) -> Client:
    assert client.hears()["message_type"] == "SessionBegins"
    return client
