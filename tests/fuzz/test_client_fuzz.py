"""A server that says anything at any moment: the client ends with a documented error, in time, and leaves nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from hostile_talk import BRIDGE_CODES, no_error_in_the_log
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_seeds import V3_SERVER
from mutations import garbage, mutations
from running_bridge import BRIDGE_KEY, RunningBridge
from running_service import eventually
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tympan.bridge.config import BridgeConfig, UpstreamConfig
from tympan.client import ClientError, ReconnectPolicy, Timeouts, connect
from tympan.client.retry import is_worth_retrying
from tympan.client.tokens import mint_token
from tympan.migrate.probe.address import Address
from tympan.migrate.probe.run import probe
from tympan.migrate.probe.scenes import Visitor
from tympan.server.config import AuthConfig

CHUNK = bytes(1600)
PATIENCE_S = 20
SHORT = Timeouts(open_s=2, begin_s=0.3, send_s=0.5, terminate_s=0.3, close_s=0.2)
ONCE_MORE = ReconnectPolicy(max_attempts=2, max_total_s=2, first_delay_s=0.001, longest_delay_s=0.001)

BEGIN = V3_SERVER[0]
Line = tuple[str, bytes]
"""What the server does: `text`, `binary`, `raw` bytes below the protocol, `close` with a code, `abort`, `hear`."""

some = settings(
    max_examples=settings.default.max_examples // 4 if settings.default else 25,
    suppress_health_check=list(HealthCheck),
)
_codes = st.sampled_from([b"1000", b"1001", b"1008", b"1011", b"3005", b"3006", b"3008", b"3009", b"4004", b"4999"])
_line: st.SearchStrategy[Line] = st.one_of(
    st.tuples(st.just("text"), st.sampled_from(V3_SERVER)),
    st.tuples(st.just("text"), mutations(V3_SERVER)),
    st.tuples(st.just("text"), garbage),
    st.tuples(st.just("binary"), mutations(V3_SERVER)),
    st.tuples(st.just("raw"), st.binary(max_size=20)),
    st.tuples(st.just("close"), _codes),
    st.tuples(st.just("abort"), st.just(b"")),
    st.tuples(st.just("hear"), st.just(b"")),
)
roles = st.one_of(
    st.lists(_line, max_size=8),
    st.lists(_line, max_size=12).map(lambda lines: [("text", BEGIN), *lines]),
    st.lists(_line, max_size=12).map(lambda lines: [("text", BEGIN), *lines, ("text", V3_SERVER[-1])]),
)
plays = st.lists(roles, min_size=1, max_size=3)
"""What the server does on the first connection, the second, …; then it is `THE_END`."""

THE_END: list[Line] = [("text", b'{"type": "Error", "error": "enough", "error_code": 1008}'), ("close", b"1008")]
"""Nobody comes back after that. A server that begins and breaks off again and again is come back to for minutes."""


@contextmanager
def hostile_server(play: list[list[Line]]) -> Iterator[str]:
    """The address of a server that plays these roles, in a thread of its own."""
    started, stop = threading.Event(), asyncio.Event()
    told: list[tuple[asyncio.AbstractEventLoop, int]] = []

    async def run() -> None:
        count = 0

        async def answer(connection: ServerConnection) -> None:
            nonlocal count
            role = play[count] if count < len(play) else THE_END
            count += 1
            with suppress(ConnectionClosed):
                for what, data in role:
                    await _do(connection, what, data)
                await asyncio.wait_for(connection.wait_closed(), 0.4)

        async with serve(answer, "127.0.0.1", 0, close_timeout=0.1, ping_interval=None) as running:
            told.append((asyncio.get_running_loop(), next(iter(running.sockets)).getsockname()[1]))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="hostile server")
    thread.start()
    started.wait(PATIENCE_S)
    loop, port = told[0]
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


async def _do(connection: ServerConnection, what: str, data: bytes) -> None:
    match what:
        case "text":
            await connection.send(data.decode(errors="replace"))
        case "binary":
            await connection.send(data)
        case "raw":
            connection.transport.write(data)
        case "close":
            await connection.close(int(data), "as the role says")
        case "abort":
            connection.transport.abort()
        case _:
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.recv(), 0.05)


async def _session(url: str, reconnect: ReconnectPolicy | None) -> None:
    async with connect(url, timeouts=SHORT, reconnect=reconnect, parameters={"format_turns": True}) as session:
        for _ in range(4):
            await session.send_audio(CHUNK)
        await session.terminate()
        async for event in session:
            str(event).encode()


def _leaves_nothing(scene: Callable[[], Awaitable[object]]) -> None:
    """Play a scene to its end in time; no task is left, and a client's error is one of the documented."""

    async def checked() -> None:
        with suppress(ClientError):
            async with asyncio.timeout(PATIENCE_S):
                try:
                    await scene()
                except ClientError as error:
                    told.append(str(error))
                    is_worth_retrying(error)
                    raise
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    told: list[str] = []
    asyncio.run(checked())
    assert not [text for text in told if not text or "the client itself failed" in text]


@pytest.mark.parametrize("reconnect", [None, ONCE_MORE], ids=["one connection", "reconnecting"])
def test_no_server_harms_the_client(reconnect: ReconnectPolicy | None) -> None:
    threads = threading.active_count()

    @some
    @given(plays)
    def meet(play: list[list[Line]]) -> None:
        with hostile_server(play) as url:
            _leaves_nothing(lambda: _session(url, reconnect))

    meet()
    assert eventually(lambda: threading.active_count() <= threads)


def test_no_service_harms_the_bridge() -> None:
    auth = AuthConfig(api_keys=(BRIDGE_KEY,), token_secret="secret of the bridge")

    @settings(some, max_examples=max(8, some.max_examples // 5))
    @given(plays)
    def meet(play: list[list[Line]]) -> None:
        with no_error_in_the_log(), ExitStack() as stack:
            url = stack.enter_context(hostile_server([role for role in play if role] or [[]]))
            bridge = RunningBridge(BridgeConfig(UpstreamConfig(url, "key"), auth=auth))
            stack.callback(bridge.stop)
            client = bridge.connects()
            with suppress(ConnectionClosed):
                client.sends(CHUNK)
                client.sends({"terminate_session": True})
                while True:
                    client.socket.recv(timeout=PATIENCE_S)
            assert client.socket.close_code in BRIDGE_CODES
            assert eventually(bridge.is_idle)

    meet()


def test_no_service_harms_the_probe() -> None:
    @settings(some, max_examples=max(4, some.max_examples // 10))
    @given(plays)
    def meet(play: list[list[Line]]) -> None:
        with hostile_server(play) as url:
            visitor = Visitor(Address.parse(url), None, ssl.create_default_context(), 0.2, {})
            told = []
            asyncio.run(asyncio.wait_for(probe(visitor, None, told.append, is_quick=True), 4 * PATIENCE_S))
            assert told

    meet()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0" * 100,
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        HEAD + b'{"token"',
        HEAD.replace(b"200 OK", b"400 Bad Request") + b'{"error"',
        HEAD + b'{"token": null}',
        HEAD.replace(b"200 OK", b"302 Found\r\nLocation: http://x"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 500 \r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=lambda answer: answer[:30].decode(errors="replace"),
)
def test_whatever_answers_a_request_for_a_token_is_a_client_error(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(ClientError) as raised:
        mint_token(url, api_key="key", timeout_s=2)
    assert "\n" not in str(raised.value)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives one raw answer to whatever comes, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve_one() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve_one)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(PATIENCE_S)
