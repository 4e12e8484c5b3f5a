"""A talk that no honest client holds: steps over a few connections, drawn by Hypothesis and played to a real server."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from message_seeds import V2_CLIENT, V3_CLIENT
from mutations import mutations
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tympan.wire.close_codes import BRIDGE_OTHERWISE, BRIDGE_RULES, BRIDGE_UNREACHABLE, V2_RULES, V3_RULES

PATIENCE_S = 10
_SOCKET_CODES = {1000, 1007, 1009}
"""Graceful, no UTF-8, too long."""

V3_CODES = {rule.code for rule in V3_RULES} | _SOCKET_CODES
V2_CODES = {rule.code for rule in V2_RULES} | _SOCKET_CODES
BRIDGE_CODES = V2_CODES | {rule.code for rule in (*BRIDGE_RULES, BRIDGE_OTHERWISE, BRIDGE_UNREACHABLE)}


@dataclass(frozen=True)
class Way:
    """Where a client connects, with which good query, and how it asks for a graceful end."""

    path: str
    query: str
    messages: tuple[bytes, ...]
    terminate: str
    codes: set[int]


V3_WAY = Way("/v3/ws", "sample_rate=16000&format_turns=true", V3_CLIENT, '{"type": "Terminate"}', V3_CODES)
V2_WAY = Way("/v2/realtime/ws", "sample_rate=16000", V2_CLIENT, '{"terminate_session": true}', V2_CODES)
BRIDGE_WAY = Way("/v2/realtime/ws", "sample_rate=16000", V2_CLIENT, '{"terminate_session": true}', BRIDGE_CODES)


@dataclass(frozen=True)
class Step:
    """What is done next, on which of the connections."""

    what: str
    connection: int = 0
    data: bytes = b""


def steps(way: Way) -> st.SearchStrategy[list[Step]]:
    """Up to a dozen steps over three connections."""
    on = st.integers(0, 2)
    step = st.one_of(
        st.builds(Step, st.just("open"), on, st.just(way.query.encode())),
        st.builds(Step, st.just("open"), on, st.just(f"{way.query}&resumable=true".encode())),
        st.builds(Step, st.just("open"), on, mutations((way.query.encode(),))),
        st.builds(Step, st.just("resume"), on),
        st.builds(Step, st.just("text"), on, st.sampled_from(way.messages)),
        st.builds(Step, st.just("text"), on, mutations(way.messages)),
        st.builds(Step, st.just("audio"), on, st.sampled_from([bytes(size) for size in (0, 1, 1600, 1601, 32_000)])),
        st.builds(Step, st.just("audio"), on, st.just(bytes(400_000))),
        st.builds(Step, st.just("read"), on),
        st.builds(Step, st.just("close"), on, st.sampled_from([b"1000", b"1001", b"1011", b"3000", b"4999"])),
        st.builds(Step, st.just("vanish"), on),
    )
    return st.lists(step, min_size=1, max_size=12).map(lambda drawn: [Step("open", 0, way.query.encode()), *drawn])


@dataclass
class Talk:
    """The connections of one talk."""

    url: str
    key: str
    way: Way
    open: dict[int, ClientConnection] = field(default_factory=dict)
    opened: ExitStack = field(default_factory=ExitStack)
    resume_key: str = "none"

    def play(self, plan: list[Step]) -> None:
        """Do all steps, then let every client that is left ask for the end; each must be told it."""
        try:
            for step in plan:
                self._do(step)
            for number in list(self.open):
                self._end(number)
        finally:
            for number in list(self.open):
                self._cut(number)
            self.opened.close()

    def _do(self, step: Step) -> None:
        client = self.open.get(step.connection)
        match step.what:
            case "open":
                self._open(step.connection, step.data.decode(errors="replace"))
            case "resume":
                self._open(step.connection, f"resume_key={self.resume_key}&messages_received=1")
            case _ if client is None:
                return
            case "text":
                with suppress(ConnectionClosed):
                    client.send(step.data.decode(errors="replace"))
            case "audio":
                with suppress(ConnectionClosed):
                    client.send(step.data)
            case "read":
                self._read(client, timeout_s=0.01)
            case "close":
                client.close(int(step.data))
                del self.open[step.connection]
            case "vanish":
                self._cut(step.connection)

    def _open(self, number: int, query: str) -> None:
        if number in self.open:
            self._cut(number)
        target = f"{self.url}{self.way.path}?{quote(query, safe='=&%')}"
        with suppress(InvalidStatus):  # 414: the query is longer than a line may be
            opening = connect(
                target,
                additional_headers={"Authorization": self.key},
                compression=None,
                close_timeout=1,
                open_timeout=PATIENCE_S,
                proxy=None,
            )
            self.open[number] = client = self.opened.enter_context(opening)
            self._read(client, timeout_s=PATIENCE_S)

    def _read(self, client: ClientConnection, timeout_s: float) -> None:
        with suppress(ConnectionClosed, TimeoutError):
            message: dict[str, Any] = json.loads(client.recv(timeout=timeout_s))
            self.resume_key = message.get("resume_key", self.resume_key)

    def _end(self, number: int) -> None:
        client = self.open.pop(number)
        try:
            client.send(self.way.terminate)
            while True:
                client.recv(timeout=PATIENCE_S)
        except ConnectionClosed as closed:
            code = 1006 if closed.rcvd is None else closed.rcvd.code
        finally:
            _abort(client)
        assert code in self.way.codes, f"close code {code} is in no table"

    def _cut(self, number: int) -> None:
        _abort(self.open.pop(number))


def _abort(client: ClientConnection) -> None:
    with suppress(OSError):
        client.socket.shutdown(socket.SHUT_RDWR)
    client.close()


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        is_ours = not record.name.startswith("websockets.")  # what stands for the other side, and is cut short
        if is_ours and (record.exc_info or not record.name.startswith("tympan.bridge")):
            self.told.append(self.format(record))


@contextmanager
def no_error_in_the_log() -> Iterator[None]:
    """A bug is an ERROR in the log, and nothing that the other side does is one; but that a service doesn't know the
    bridge's key is one for its operator, and has no traceback."""
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(errors)
    assert errors.told == []
