"""A real server on a loopback port, in a thread of the test's process, with the scripted engine."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from running_server import PATIENCE_S, RunningServer, eventually
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tympan.core.config import SessionConfig, SessionLimits
from tympan.core.words import Report
from tympan.engines.base import Recognizer
from tympan.engines.scripted import Script, ScriptedRecognizer, ScriptedStream, ScriptedWord
from tympan.runtime.link import LocalLink
from tympan.server.app import create_app
from tympan.server.config import AuthConfig, NetworkConfig, ServerConfig
from tympan.server.gateway import Gateway, ServedEngine
from tympan.server.listening import Server, listening_config

KEY = "the-right-key"

SONNY = Script(
    (
        ScriptedWord("Hi,", 100, 300, formatted="Hi,"),
        ScriptedWord("my", 320, 450),
        ScriptedWord("name", 460, 700),
        ScriptedWord("is", 720, 900),
        ScriptedWord("Sonny.", 950, 1400, end_of_turn_confidence=0.75),
    )
)
"""The conversation of the protocol reference, section 6.1."""

CHUNK = b"\0" * 1600
"""50 ms of 16 kHz PCM16; the scripted engine listens to the clock alone."""


Message = dict[str, Any] | str | bytes
"""As a client sends it; what is a dict goes as JSON."""


def limits(**values: Any) -> SessionConfig:
    return SessionConfig(limits=SessionLimits(**values))


def audio(ms: int) -> list[bytes]:
    """So much of it, in chunks."""
    return [CHUNK] * (ms // 50)


@dataclass
class Client:
    """A client that reads like a conversation."""

    socket: ClientConnection
    heard: list[dict[str, Any]] = field(default_factory=list)

    def says(self, ms: int) -> None:
        """Send that much audio in 50 ms chunks."""
        for chunk in audio(ms):
            self.sends(chunk)

    def sends(self, message: Message) -> None:
        self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    def tries_to_send(self, *messages: Message) -> None:
        """Send them one after another, as many as the server lets it: where that ends the session over one of them,
        how many more are sent depends on which of the two is quicker."""
        with suppress(ConnectionClosed):
            for message in messages:
                self.sends(message)

    def hears(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=PATIENCE_S))
        self.heard.append(message)
        return message

    def is_answered(self) -> None:
        """All that was sent has come: the server answers a ping after it."""
        assert self.socket.ping().wait(PATIENCE_S)

    def hears_end(self) -> tuple[list[dict[str, Any]], int, str]:
        """Everything up to the close, its code and its reason."""
        messages = []
        with suppress(ConnectionClosed):
            while True:
                messages.append(self.hears())
        code, reason = self.socket.close_code, self.socket.close_reason
        assert code is not None
        assert reason is not None
        return messages, code, reason


class Service(RunningServer):
    """A server of sessions with its engine."""

    def __init__(self, config: ServerConfig, recognizer: Recognizer | None) -> None:
        self.gateway = Gateway(config)
        self.link: LocalLink | None = None
        if recognizer is not None:
            self.link = LocalLink(recognizer, worker_count=1)
            self.gateway.open_for(ServedEngine(recognizer.name, recognizer.model, self.link))
        super().__init__(Server(listening_config(create_app(self.gateway), config.network), self.gateway), "server")

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def connects(
        self,
        query: str = "",
        *,
        path: str = "/v3/ws",
        key: str | None = KEY,
        url: str | None = None,
        **options: Any,
    ) -> Client:
        """A client; `url` is where it connects if not to the server itself."""
        headers = {} if key is None else {"Authorization": key}
        target = f"{url or self.url}{path}?{query}" if query else f"{url or self.url}{path}"
        opening = connect(target, additional_headers=headers, compression=None, open_timeout=PATIENCE_S, **options)
        return Client(self._clients.enter_context(opening))

    def tasks(self) -> int:
        """Tasks in the server's loop, the one that counts them left out."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return asyncio.run_coroutine_threadsafe(count(), self.loop).result(PATIENCE_S)

    def is_idle(self) -> bool:
        """No session, no place, no seat and no connection is left."""
        assert self.link is not None
        return (
            self.gateway.admission.active == 0
            and not self.gateway.key_places._active
            and not self.gateway.conversations
            and not self.link._seats
            and not self.server.server_state.connections
            and not self.server.server_state.tasks
        )

    def has_received(self, *ms: int) -> bool:
        """So much audio has come in the sessions that there are."""
        return eventually(lambda: sorted(talk.received_ms for talk in list(self.gateway.conversations)) == sorted(ms))

    def let_go(self) -> None:
        """Forget the sessions that are kept for clients that were cut off."""

        def close_kept() -> None:
            for conversation in list(self.gateway.conversations):
                if conversation.is_waiting:
                    conversation.close()

        state = self.server.server_state
        assert eventually(lambda: not state.connections and not state.tasks)
        self.loop.call_soon_threadsafe(close_kept)

    @contextmanager
    def lent(self) -> Iterator[Self]:
        """Lends it to one test of several; the next one finds it idle again."""
        yield self
        self.hang_up()
        self.let_go()
        assert eventually(self.is_idle)

    def stop(self) -> None:
        super().stop()
        if self.link is not None:
            self.link.shut_down()


def make_service(
    script: Script = SONNY,
    *,
    auth: AuthConfig | None = None,
    recognizer: Recognizer | None = None,
    is_loaded: bool = True,
    network: NetworkConfig | None = None,
    **settings: Any,
) -> Service:
    """A server that plays the script, with the key of the tests, unless told otherwise."""
    config = ServerConfig(
        auth=auth or AuthConfig(api_keys=("another-key", KEY), token_secret="secret of the tests"),
        network=network or NetworkConfig(),
        **settings,
    )
    engine = recognizer or ScriptedRecognizer(script)
    return Service(config, engine if is_loaded else None)


class StuckStream(ScriptedStream):
    """An engine that hears nothing for as long as a test needs it to."""

    def __init__(self, script: Script, is_released: threading.Event) -> None:
        super().__init__(script)
        self._is_released = is_released

    def step(self) -> Report | None:
        self._is_released.wait(PATIENCE_S)
        return super().step()


class StuckRecognizer(ScriptedRecognizer):
    def __init__(self, script: Script = SONNY) -> None:
        super().__init__(script)
        self.is_released = threading.Event()

    def open_stream(self, options: object) -> StuckStream:
        return StuckStream(self.player.begin_next().timeline, self.is_released)


Start = Callable[..., Service]


def endings(service: Service, code: int) -> float:
    """Connections that have ended with a close code, by the server's own count."""
    labels = {"close_code": str(code)}
    return service.gateway.metrics.registry.get_sample_value("tympan_connections_ended_total", labels) or 0.0
