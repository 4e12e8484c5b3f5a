"""A client that keeps all it sends, loses its connection in every way, and goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from background import background
from running_service import Client, Service, audio, eventually
from tcp_proxy import Direction, How, Proxy

from tympan.core.audio import AudioFormat
from tympan.core.replay import Position, Replay

TERMINATE = {"type": "Terminate"}
FORCE = {"type": "ForceEndpoint"}

UNHURRIED: dict[str, Any] = {"max_queue": None}
"""Take everything that comes, read or not: a full queue would hide that the line broke."""


class ResumingClient:
    """Speaks and listens over as many connections as it takes. `told` are the messages received, in order."""

    def __init__(self, service: Service, query: str = "", *, url: str | None = None, **options: Any) -> None:
        self.service = service
        self.url = url
        self.kept: Replay[dict[str, Any]] = Replay(AudioFormat(), 100_000_000)
        self.told: list[dict[str, Any]] = []
        self.resumed: list[dict[str, Any]] = []
        self.line: Client = service.connects(f"resumable=true&{query}", url=url, **{**UNHURRIED, **options})
        self.key = "not known yet"

    def begins(self) -> dict[str, Any]:
        begin = self.hears()
        self.key = begin["resume_key"]
        return begin

    def says(self, ms: int) -> None:
        for chunk in audio(ms):
            self.sends(chunk)

    def sends(self, item: bytes | dict[str, Any]) -> None:
        """Keep it, then send it; on a lost line it is only kept."""
        if isinstance(item, bytes):
            self.kept.keep_audio(item)
        else:
            self.kept.keep_message(item, 1)
        self.line.tries_to_send(item)

    def acknowledges(self, count: int | None = None) -> None:
        self.line.sends({"type": "Acknowledge", "messages": len(self.told) if count is None else count})

    def hears(self) -> dict[str, Any]:
        message = self.line.hears()
        self.told.append(message)
        return message

    def hears_until(self, kind: str, **fields: Any) -> dict[str, Any]:
        while True:
            message = self.hears()
            if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                return message

    def hears_end(self) -> tuple[int, str]:
        """Everything up to the close; its code and reason."""
        messages, code, reason = self.line.hears_end()
        self.told += messages
        return code, reason

    def is_cut(self) -> None:
        """The line breaks: the stream ends without a goodbye. What was sent before still arrives."""
        with suppress(OSError):
            self.line.socket.socket.shutdown(socket.SHUT_RDWR)

    def connects_again(self, *, received: int | None = None, key: str | None = None) -> dict[str, Any]:
        """Ask to go on; what the server answers first."""
        count = len(self.told) if received is None else received
        query = f"resume_key={key or self.key}&messages_received={count}"
        self.line = self.service.connects(query, key=None, url=self.url, **UNHURRIED)
        return self.line.hears()

    def resumes(self) -> dict[str, Any]:
        """Go on, and send what the server hasn't received."""
        resumed = self.connects_again()
        assert resumed["type"] == "Resumed", resumed
        self.resumed.append(resumed)
        self.line.tries_to_send(
            *self.kept.since(Position(resumed["audio_received_bytes"], resumed["messages_received"]))
        )
        return resumed

    def story(self) -> list[dict[str, Any]]:
        """What was told, without what differs from session to session or depends on when it came."""
        return story(self.told)


def story(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages that the audio and the controls alone decide."""
    passing = ("id", "expires_at", "resume_key", "resume_window_seconds", "session_duration_seconds")
    return [
        {name: value for name, value in json.loads(json.dumps(message)).items() if name not in passing}
        for message in told
        if message["type"] != "Checkpoint"
    ]


def metric(service: Service, name: str, **labels: str) -> float:
    return service.gateway.metrics.registry.get_sample_value(f"tympan_{name}", labels) or 0.0


def kept(service: Service) -> float:
    return metric(service, "sessions_kept")


def is_noticed(service: Service, count: int = 1) -> bool:
    """The server has seen that so many clients are lost."""
    return eventually(lambda: kept(service) == count)


def uncut(service: Service, *, ms: int = 2000, query: str = "") -> list[dict[str, Any]]:
    """What a client is told whose line never breaks."""
    client = service.connects(query)
    client.says(ms)
    client.sends(TERMINATE)
    return story(client.hears_end()[0])


@contextmanager
def unread_end(service: Service, *last: dict[str, Any] | str) -> Iterator[ResumingClient]:
    """A client that says this last, and whose line breaks when the session is over and nothing of it was read."""
    with background() as loop, loop.entered(Proxy("127.0.0.1", service.port)) as proxy:
        client = ResumingClient(service, url=proxy.url)
        client.begins()
        client.says(2000)
        proxy.withholds = Direction.TO_CLIENT
        for message in last:
            client.line.sends(message) if isinstance(message, str) else client.sends(message)
        assert service.link is not None
        seats = service.link._seats
        assert eventually(lambda: not seats), "the engine is free"
        loop.call(proxy.cut, How.RESET)
        assert is_noticed(service)
        client.url = None
        yield client
