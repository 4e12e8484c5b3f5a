"""A v3 service on loopback that plays a written conversation: what it says doesn't depend on the audio."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

BEGIN = {"type": "Begin", "id": "7f1e4a34-9a3e-4b9e-a0c5-5b0b3c1d2e3f", "expires_at": 1_800_000_000}
TERMINATION = {"type": "Termination", "audio_duration_seconds": 3, "session_duration_seconds": 3}


def turn(order: int, *texts: str, is_formatted: bool = True, is_end: bool = True) -> dict[str, Any]:
    words = [
        {"start": 100 * index, "end": 100 * index + 80, "confidence": 0.75, "text": text, "word_is_final": is_end}
        for index, text in enumerate(texts)
    ]
    return {
        "type": "Turn",
        "turn_order": order,
        "turn_is_formatted": is_formatted,
        "end_of_turn": is_end,
        "transcript": " ".join(texts),
        "end_of_turn_confidence": 0.9,
        "words": words,
    }


US_ANSWER = (
    turn(0, "hello", "there", is_formatted=False),
    turn(0, "Hello", "there."),
    turn(1, "goodbye", is_formatted=False),
    turn(1, "Goodbye."),
    TERMINATION,
)
"""A raw final and a formatted one for each turn."""

U3_ANSWER = (
    turn(0, "Hello—", is_end=False),
    turn(0, "Hello", "there."),
    turn(1, "Goodbye."),
    TERMINATION,
)
"""Formatted partials, and a single formatted final."""

RAW_ANSWER = (
    turn(0, "hello", "there", is_formatted=False),
    turn(1, "goodbye", is_formatted=False),
    TERMINATION,
)
"""Raw finals only, whatever was asked for."""


@dataclass
class Service:
    """Says its answer after Terminate, and before it what each chunk leads to; or, as `refusal`, an error at once or
    in mid-audio. The events are set when a client comes that far."""

    answer: tuple[dict[str, Any], ...] = US_ANSWER
    said_after_chunk: dict[int, dict[str, Any]] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    refuses_after_chunks: int = 0
    drops_after_chunks: int | None = None
    """The first connection is cut there."""
    tls: ssl.SSLContext | None = None
    is_mute: bool = False
    """Takes connections and says nothing, not even Begin."""

    parameters: list[dict[str, list[str]]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    has_connection: threading.Event = field(default_factory=threading.Event)
    has_spoken: threading.Event = field(default_factory=threading.Event)
    has_terminate: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> Server:
        server = serve(self._talk, "127.0.0.1", 0, max_queue=None, ssl=self.tls)
        scheme = "ws" if self.tls is None else "wss"
        self.url = f"{scheme}://127.0.0.1:{server.socket.getsockname()[1]}"
        return server

    def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.parameters.append(parse_qs(urlsplit(connection.request.path).query))
        self.keys.append(connection.request.headers.get("Authorization"))
        self.has_connection.set()
        try:
            self._converse(connection)
        except ConnectionClosed:
            return

    def _converse(self, connection: ServerConnection) -> None:
        if not self.is_mute:
            connection.send(json.dumps(BEGIN))
        chunks: list[bytes] = []
        while True:
            if self.refusal is not None and len(chunks) == self.refuses_after_chunks:
                code, text = self.refusal
                connection.send(json.dumps({"type": "Error", "error_code": code, "error": text}))
                connection.close(code, "See Error message for details")
                return
            message = connection.recv()
            if isinstance(message, str):
                break
            chunks.append(message)
            if len(self.parameters) == 1 and len(chunks) == self.drops_after_chunks:
                connection.socket.shutdown(socket.SHUT_RDWR)
                return
            if len(chunks) in self.said_after_chunk:
                connection.send(json.dumps(self.said_after_chunk[len(chunks)]))
                self.has_spoken.set()
        assert json.loads(message) == {"type": "Terminate"}
        self.audio.append(b"".join(chunks))
        self.has_terminate.set()
        for answer in self.answer:
            connection.send(json.dumps(answer))
        if TERMINATION not in self.answer:
            connection.recv()  # says nothing more, and waits for the client to leave


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """The service, on a port of its own."""
    server = service.listen()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
