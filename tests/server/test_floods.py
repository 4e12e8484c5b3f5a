"""A client that sends faster than live audio doesn't hold up the others, and loses nothing. Counted, not timed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from running_service import PATIENCE_S, Service
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.server import ServerState

from tympan.server.config import NetworkConfig
from tympan.server.listening import listening_config
from tympan.server.rounds import Rounds
from tympan.server.transports import BURST_MESSAGES, PIECE_BYTES, READ_BYTES, ROUND_FRAMES, BoundedWebSocket

UPGRADE = (
    b"GET /%b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TINY = b"\x82\x81\0\0\0\0x"
PING, PONG = b"\x89\x80\0\0\0\0", b"\x8a\0"
MOST_FRAMES_A_ROUND = ROUND_FRAMES + PIECE_BYTES // len(PING)


class Wire(asyncio.Transport):
    """A transport whose other end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.is_paused = False
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """The test ends with its loop."""

    def abort(self) -> None:
        """The same."""


class Peer:
    """A client, by what reaches the server of it."""

    def __init__(self, name: str, protocol: BoundedWebSocket) -> None:
        self.wire, self._protocol = Wire(), protocol
        protocol.connection_made(self.wire)
        protocol.data_received(UPGRADE % name.encode())

    def sends(self, data: bytes) -> None:
        assert not self.wire.is_paused
        self._protocol.data_received(data)

    def leaves(self) -> None:
        self._protocol.connection_lost(None)

    def pauses_writing(self) -> None:
        self._protocol.pause_writing()

    def resumes_writing(self) -> None:
        self._protocol.resume_writing()


class Listening:
    """A server's connections; its app writes down who said what, in order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []
        app = Starlette(routes=[WebSocketRoute("/{name}", self._hear)])
        self._config = listening_config(app, NetworkConfig(ping_interval_s=1000))
        self._config.load()
        self._state = ServerState()
        self._rounds = Rounds()

    def connects(self, name: str) -> Peer:
        protocol = BoundedWebSocket(self._rounds, config=self._config, server_state=self._state, app_state={})
        return Peer(name, protocol)

    def heard(self, name: str) -> list[bytes]:
        return [what for who, what in self.said if who == name]

    async def _hear(self, socket: WebSocket) -> None:
        await socket.accept()
        while (message := await socket.receive())["type"] == "websocket.receive":
            self.said.append((socket.path_params["name"], message["bytes"]))


def told(check: Callable[[Listening], Awaitable[None]]) -> None:
    """Run a check with a loop and a server of its own; everybody leaves."""

    async def run() -> None:
        await check(Listening())

    asyncio.run(run())


async def turns(count: int) -> None:
    """So many turns of the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():
            await asyncio.sleep(0.001)


def binary(payload: bytes) -> bytes:
    """One masked binary message of up to 125 bytes."""
    return b"\x82" + bytes([0x80 | len(payload)]) + b"\0\0\0\0" + payload


async def crowd(listening: Listening, count: int) -> tuple[Peer, list[Peer]]:
    """Somebody live, and so many that flood; each has sent more than it may at once."""
    live, flooders = listening.connects("live"), [listening.connects(f"flooder-{n}") for n in range(count)]
    await turns(10)
    for flooder in flooders:
        flooder.sends(TINY * (READ_BYTES // len(TINY)))
    await turns(10)
    return live, flooders


def test_however_many_flood_a_live_client_is_heard_after_a_round_for_each_turn_of_the_loop() -> None:
    async def check(listening: Listening) -> None:
        live, flooders = await crowd(listening, 12)
        for asked in range(1, 6):
            for flooder in flooders:
                if not flooder.wire.is_paused:
                    flooder.sends(TINY * (READ_BYTES // len(TINY)))
            before = len(listening.said)
            live.sends(TINY)
            await turns(3)
            assert len(listening.heard("live")) == asked
            assert len(listening.said) - before <= 1 + 3 * MOST_FRAMES_A_ROUND

    told(check)


def test_of_a_flood_no_more_than_a_burst_is_taken_at_once() -> None:
    async def check(listening: Listening) -> None:
        _, (flooder,) = await crowd(listening, 1)
        assert len(listening.heard("flooder-0")) <= BURST_MESSAGES + 11 * MOST_FRAMES_A_ROUND
        assert flooder.wire.is_paused

    told(check)


def test_those_who_flood_have_their_rounds_in_turn() -> None:
    async def check(listening: Listening) -> None:
        await crowd(listening, 3)
        await until(lambda: len(listening.said) > 2_000)
        counts = [len(listening.heard(f"flooder-{n}")) for n in range(3)]
        assert max(counts) - min(counts) <= BURST_MESSAGES + 2 * MOST_FRAMES_A_ROUND

    told(check)


def test_nothing_of_a_flood_is_lost_or_out_of_order() -> None:
    async def check(listening: Listening) -> None:
        listening.connects("live")
        flooder = listening.connects("flooder")
        await turns(10)
        sent = [number.to_bytes(2, "big") * (number % 40 + 1) for number in range(4_000)]
        wire = b"".join(map(binary, sent))
        for start in range(0, len(wire), READ_BYTES):
            await until(lambda: not flooder.wire.is_paused)
            flooder.sends(wire[start : start + READ_BYTES])
        await until(lambda: len(listening.heard("flooder")) == len(sent))
        assert listening.heard("flooder") == sent

    told(check)


def test_what_was_read_of_a_client_that_is_lost_is_still_heard() -> None:
    async def check(listening: Listening) -> None:
        listening.connects("live")
        flooder = listening.connects("flooder")
        await turns(10)
        flooder.sends(TINY * 1_000)
        assert flooder.wire.is_paused
        flooder.leaves()
        await until(lambda: len(listening.heard("flooder")) == 1_000)

    told(check)


def test_a_flood_of_pings_is_answered_in_rounds_to_the_last() -> None:
    async def check(listening: Listening) -> None:
        live = listening.connects("live")
        flooder = listening.connects("flooder")
        await turns(10)
        flooder.wire.written = b""
        flooder.sends(PING * 2_000)
        await turns(1)
        assert len(flooder.wire.written) // len(PONG) <= BURST_MESSAGES + 2 * MOST_FRAMES_A_ROUND
        live.sends(TINY)
        await turns(3)
        assert listening.heard("live") == [b"x"]
        await until(lambda: flooder.wire.written == PONG * 2_000)
        assert not flooder.wire.is_paused

    told(check)


def test_who_is_alone_waits_for_no_round() -> None:
    async def check(listening: Listening) -> None:
        alone = listening.connects("alone")
        await turns(10)
        alone.sends(TINY * 2_000)
        await turns(2)
        assert len(listening.heard("alone")) == 2_000
        assert not alone.wire.is_paused

    told(check)


def test_a_client_that_reads_nothing_has_no_rounds_until_it_does() -> None:
    async def check(listening: Listening) -> None:
        listening.connects("live")
        flooder = listening.connects("flooder")
        await turns(10)
        flooder.wire.written = b""
        flooder.sends(PING * 2_000)
        flooder.pauses_writing()
        await turns(10)
        answered = len(flooder.wire.written)
        await asyncio.sleep(0.01)
        assert len(flooder.wire.written) == answered
        flooder.resumes_writing()
        await until(lambda: flooder.wire.written == PONG * 2_000)

    told(check)


def test_audio_sent_as_fast_as_the_socket_takes_it_is_all_counted_while_another_session_goes_on(
    service: Service,
) -> None:
    flooder, live = service.connects(), service.connects()
    live.hears()
    for _ in range(5_000):
        flooder.sends(bytes(32))
    flooder.sends({"type": "Terminate"})
    live.says(2_000)
    live.sends({"type": "Terminate"})
    assert live.hears_end()[0][-1]["audio_duration_seconds"] == 2
    assert flooder.hears_end()[0][-1]["audio_duration_seconds"] == 5
