"""Services that a server asks: a receiver of webhooks or a language model, real, on a loopback port, in a thread."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import uvicorn
from running_service import PATIENCE_S, eventually
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from certificates import Certificate
from tympan.server.config import OutboundConfig

LOOPBACK = OutboundConfig(networks=(ip_network("127.0.0.0/8"), ip_network("::1")))
"""Webhooks may go to receivers of the tests."""


@dataclass(frozen=True)
class Post:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Keeps what is posted, and answers: by `answers`, in order, then 200."""

    answers: list[Response] = field(default_factory=list)
    respond: Callable[[Post], Awaitable[Response]] | None = None
    posts: list[Post] = field(default_factory=list)
    certificate: Certificate | None = None

    def __enter__(self) -> Receiver:
        app = Starlette(routes=[Route("/{path:path}", self._receive, methods=["GET", "POST"])])
        self._socket = socket.create_server(("127.0.0.1", 0))
        tls = {} if self.certificate is None else {"ssl_certfile": self.certificate.both}
        config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", **tls)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="receiver")
        self._thread.start()
        assert eventually(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.force_exit = self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._socket]))

    async def _receive(self, request: Request) -> Response:
        post = Post(request.url.path, dict(request.headers), await request.body())
        self.posts.append(post)
        if self.respond is not None:
            return await self.respond(post)
        return self.answers.pop(0) if self.answers else Response()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gets(self, count: int = 1) -> list[Post]:
        """What came, once so much has come."""
        assert eventually(lambda: len(self.posts) >= count), f"{len(self.posts)} of {count} came"
        return self.posts


@dataclass
class Thinker(Receiver):
    """Takes what comes, and answers once it may."""

    may_answer: threading.Event = field(default_factory=threading.Event)

    def __exit__(self, *_: object) -> None:
        self.may_answer.set()
        super().__exit__()

    async def _receive(self, request: Request) -> Response:
        answer = await super()._receive(request)
        await asyncio.to_thread(self.may_answer.wait, PATIENCE_S)
        return answer


class Boor:
    """A receiver without manners: takes what comes and does to the connection what it is told to."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._behave = behave
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._open: list[socket.socket] = []
        self.visits = 0

    def __enter__(self) -> Boor:
        self._accepting = threading.Thread(target=self._accept, name="boor", daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # ends `accept`, which closing alone doesn't
        self._accepting.join(PATIENCE_S)
        self._listening.close()
        for connection in self._open:
            connection.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                self.visits += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            came = connection.recv(65_536)
            while came and not came.endswith(b"}"):  # the end of what is posted
                came = connection.recv(65_536)
            self._behave(connection)


def says_nothing(connection: socket.socket) -> None:
    """Until the other side gives up."""
    connection.recv(1)
