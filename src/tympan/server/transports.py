"""What uvicorn's protocols leave unbounded, bounded here.

uvicorn's `websockets-sansio` implementation pauses a fast sender, bounds the size of a message and pings;
these subclasses add what an open port needs besides:
- no connection above the limit, and none that stays without becoming a WebSocket;
- a client that sends pings and reads no pongs is paused too;
- a connection that is to be closed is cut when the peer doesn't help to close it;
- a peer that broke the protocol is told why even while it sends: what it still sends is dropped;
- an app that has closed may still receive: then it learns how the peer took it, by a close message or by none;
- reads are small, so that one read's worth of tiny frames can't hold up the loop for long;
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
"""Half a second of 16 kHz PCM; up to 2,700 empty WebSocket messages."""


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

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_failed:
            self._close_when_quiet()
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > MAX_FRAGMENTS and not self.close_sent:
            self.frames = []
            self.conn.fail(1009, f"a message in more than {MAX_FRAGMENTS} pieces")
            self.handle_parser_exception()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._cut_timer is not None:
            self._cut_timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(b"".join(self.frames)):
            self.frames = []
            self.conn.fail(1007, "invalid UTF-8")
            self.handle_parser_exception()
            return
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
        if message["type"] == "websocket.close" and was_open and self.close_sent:
            self._has_own_close_queued = True
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # by a refusal, which uvicorn takes for a missing answer

    async def receive(self) -> ASGIReceiveEvent:
        # Taking a message resumes reading, which must wait while the peer takes nothing from us.
        await self.writable.wait()
        message = await super().receive()
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


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
