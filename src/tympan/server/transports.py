"""What uvicorn's protocols leave unbounded, bounded here.

uvicorn's `websockets-sansio` implementation pauses a fast sender, bounds the size of a message and pings;
these subclasses add what an open port needs besides:
- no connection above the limit, and none that stays without becoming a WebSocket;
- a client that sends pings and reads no pongs is paused too;
- a connection that is to be closed is cut when the peer doesn't help to close it;
- a peer that broke the protocol is told why even while it sends: what it still sends is dropped;
- an app that has closed may still receive: then it learns how the peer took it, by a close message or by none;
- a client that sends more messages than live audio needs doesn't hold up others: of all such clients together only so
  much is taken in a round (see `rounds`), and nothing more is read meanwhile, so that TCP slows them; they are told
  nothing, and lose nothing;
- a message comes in so many pieces and no more: each costs memory, and an empty one counts towards no size;
- a handshake that `websockets` refuses (a line or headers too long) is answered and closed, not left open for ever;
- what a client does wrong, or is refused for, is no error of the server's: the log shows no trace of it.
"""

from __future__ import annotations

import asyncio
from asyncio import BaseTransport, TimerHandle
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from tympan.core.pace import Pace
from tympan.core.units import Monotonic
from tympan.server.rounds import Rounds

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
    from websockets.frames import Frame

MAX_HTTP_S = 30.0
"""Longest life of a connection that doesn't become a WebSocket."""

CLOSE_GRACE_S = 5.0
"""Time for the peer to answer a close and to take what was sent before it."""

QUIET_S = 0.5
"""A peer that broke the protocol and sends nothing for so long has seen why it is closed, or won't."""

READ_BYTES = 16_384
"""Half a second of 16 kHz PCM."""

LIVE_MESSAGES_PER_S = 500
"""The shortest Opus packets make 400; voice agents send 20 to 50."""

BURST_MESSAGES = 64
"""Taken at once, however fast they come: what a network held back for 160 ms of those packets."""

ROUND_FRAMES = 32
"""About a millisecond of work, for the app too; a round ends with the piece that brings so many."""

PIECE_BYTES = 512
"""Up to 85 empty messages, which count like others."""

MAX_FRAGMENTS = 1024
"""Of one message. Clients send whole messages; proxies that cut them cut at some kilobytes."""


class BoundedHttp(H11Protocol):
    """HTTP connections, counted and timed."""

    _life_timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self.transport = stream
            stream.abort()
            return
        super().connection_made(stream)
        if hasattr(stream, "max_size"):
            stream.max_size = READ_BYTES
        self._life_timer = self.loop.call_later(MAX_HTTP_S, self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._stop_timer()
        super().handle_websocket_upgrade(event)

    def _stop_timer(self) -> None:
        if self._life_timer is not None:
            self._life_timer.cancel()
            self._life_timer = None

    def _expire(self) -> None:
        self._life_timer = None
        self.transport.abort()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """WebSocket connections that always end."""

    _cut_timer: TimerHandle | None = None
    _is_failed = False
    _has_own_close_queued = False  # uvicorn tells the app of its own close, as if it were the peer's

    def __init__(self, rounds: Rounds, **given: Any) -> None:
        super().__init__(**given)
        self._rounds = rounds
        self._pace = Pace(LIVE_MESSAGES_PER_S, BURST_MESSAGES, self._now())
        self._held = b""  # was read, and waits for a round; meanwhile reading is paused
        self._is_in_line = False  # for a round
        self._frames_taken = 0  # of this round

    def data_received(self, data: bytes) -> None:
        self._held += data
        self._go_on()

    def _go_on(self) -> None:
        """Take what is held, or wait for a round to do so; read on once nothing is."""
        if self._can_take() and not self._is_ahead():
            self._take()
        if self._can_take() and not self._is_in_line:
            self._is_in_line = True
            self._rounds.join(self._take_in_round)
        if self._held:
            self.transport.pause_reading()
        elif not self.read_paused and self.writable.is_set() and not self.transport.is_closing():
            self.transport.resume_reading()

    def _can_take(self) -> bool:
        """The app has taken what came before, and the peer takes what is written."""
        return bool(self._held) and not self.read_paused and self.writable.is_set()

    def _is_ahead(self) -> bool:
        """More came than live audio brings, and somebody else is there who may have to wait for it."""
        return len(self.connections) > 1 and self._pace.is_ahead(self._now())

    def _take_in_round(self) -> None:
        self._is_in_line = False
        if self._can_take():
            self._take()
        self._go_on()

    def _take(self) -> None:
        """Take the client's messages, if it is ahead those of a round."""
        self._frames_taken = taken = 0
        held = self._held
        while taken < len(held) and not (self._frames_taken >= ROUND_FRAMES and self._is_ahead()):
            self._take_piece(held[taken : taken + PIECE_BYTES])
            taken += PIECE_BYTES
        self._held = held[taken:]

    def _take_piece(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_failed:
            self._close_when_quiet()
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_events(self) -> None:
        count = len(self.conn.events)
        self._frames_taken += count
        self._pace.receive(count, self._now())
        super().handle_events()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > MAX_FRAGMENTS and not self.close_sent:
            self.frames = []
            self.conn.fail(1009, f"a message in more than {MAX_FRAGMENTS} pieces")
            self.handle_parser_exception()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._cut_timer is not None:
            self._cut_timer.cancel()
        if self._held:
            data, self._held = self._held, b""
            self._take_piece(data)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._go_on()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(b"".join(self.frames)):
            self.frames = []
            self.conn.fail(1007, "invalid UTF-8")
            self.handle_parser_exception()
            return
        if not self.close_sent:
            self.read_paused = True  # for uvicorn; reading is paused when more comes before the app has taken this
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        if self._is_failed:
            return
        self._is_failed = True
        closed = self.conn.close_sent
        if closed is None:  # the handshake isn't answered yet
            self.transport.abort()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closed.code, "reason": closed.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._close_when_quiet()

    def _close_when_quiet(self) -> None:
        # Closed at once, the socket would answer what still comes with a reset, which may overtake the close message;
        # a proxy between then tells its client of no reason.
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(QUIET_S, self.transport.close)

    def handle_close(self, event: Frame) -> None:
        received = self.conn.close_rcvd
        if self.close_sent and received is not None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": received.code, "reason": received.reason})
        super().handle_close(event)

    async def send(self, message: ASGISendEvent) -> None:
        was_open = self.handshake_complete and not self.close_sent
        await super().send(message)
        self._go_on()
        if message["type"] == "websocket.close" and was_open and self.close_sent:
            self._has_own_close_queued = True
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # by a refusal, which uvicorn takes for a missing answer

    async def receive(self) -> ASGIReceiveEvent:
        # Taking a message resumes reading, which must wait while the peer takes nothing from us.
        await self.writable.wait()
        message = await super().receive()
        self._go_on()
        if message["type"] == "websocket.disconnect" and self._has_own_close_queued:
            self._has_own_close_queued = False
            return await super().receive()
        return message

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if self.disconnected:
            return
        has_said_farewell = self.close_sent or self.conn.close_rcvd is not None
        if self.handshake_complete and not has_said_farewell:
            self.transport.abort()  # the app gave the peer up
        else:
            self._cut_timer = self.loop.call_later(CLOSE_GRACE_S, self.transport.abort)

    def _now(self) -> Monotonic:
        return Monotonic(self.loop.time())


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
