"""One WebSocket connection that writes down all that passes. Shell; no judgement.

Sending to a connection that has ended does nothing: its record says how it ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from tympan.client.proxies import websocket_proxy
from tympan.client.sources import Pacing
from tympan.core.units import Monotonic
from tympan.migrate.probe.reach import refusal_of
from tympan.migrate.probe.record import Closing, Document, Heard, Refusal, Said, SessionRecord, Trouble

_CLOSE_TIMEOUT_S = 1.0
_MAX_MESSAGE_BYTES = 2**24
_MAX_HEARD_CHARS = 2**26
"""Of one connection; no service has so much to say of a minute of speech."""

# websockets tells request headers, and with them the key, at DEBUG level.
_logger = logging.getLogger("tympan.migrate.probe")
_logger.setLevel(logging.INFO)


class Line:
    """An open connection, or one that could not be opened: then everything does nothing."""

    def __init__(self, record: SessionRecord, started: float, timeout_s: float) -> None:
        self.record = record
        self._started = started
        self._timeout_s = timeout_s
        self._socket: ClientConnection | None = None
        self._news = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._socket is not None and self.record.closing is None

    async def say(self, message: Document | str) -> None:
        """Send a text message."""
        text = message if isinstance(message, str) else json.dumps(message)
        what = "text" if isinstance(message, str) else str(message.get("type", next(iter(message), "")))
        self.record.said.append(Said(self._now_s(), what))
        await self._send(text)

    async def play(
        self, chunks: Iterable[bytes], rate_hz: int, *, until: Callable[[SessionRecord], bool] = lambda record: False
    ) -> None:
        """Send mono PCM16 as a microphone would, chunk by chunk, until it is over or something is true."""
        record = self.record
        began_ms, began = record.sent_ms, Monotonic(time.monotonic())
        if record.audio_started_at_s is None:
            record.audio_started_at_s = self._now_s()
        pacing = Pacing(began)
        for chunk in chunks:
            sent_ms = record.sent_ms + len(chunk) / 2 * 1000 / rate_hz
            await asyncio.sleep(pacing.delay_s(sent_ms - began_ms, Monotonic(time.monotonic())))
            if not self.is_open or until(record):
                return
            record.sent_ms = sent_ms
            await self._send(chunk)

    async def send_audio(self, chunk: bytes, rate_hz: int) -> None:
        """Send a chunk at once."""
        self.record.sent_ms += len(chunk) / 2 * 1000 / rate_hz
        self.record.is_realtime = False
        await self._send(chunk)

    async def wait(self, is_true: Callable[[SessionRecord], bool], timeout_s: float) -> bool:
        """Wait until the record says so, the connection has ended, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not is_true(self.record) and self.is_open:
                    self._news.clear()
                    await self._news.wait()
        return is_true(self.record)

    async def wait_for_end(self, timeout_s: float) -> None:
        """Wait until the server has ended the connection."""
        await self.wait(lambda record: record.closing is not None, timeout_s)

    async def _send(self, payload: str | bytes) -> None:
        """A server that takes nothing for the time of an answer is cut off: the record says that it broke off."""
        if self._socket is None:
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                with suppress(ConnectionClosed):
                    await self._socket.send(payload)
        except TimeoutError:
            self._socket.transport.abort()

    async def _listen(self, socket: ClientConnection) -> None:
        heard_chars = 0
        try:
            while True:
                payload = await socket.recv()
                text = payload if isinstance(payload, str) else payload.decode(errors="replace")
                heard_chars += len(text)
                if heard_chars > _MAX_HEARD_CHARS:
                    socket.transport.abort()  # the record says that it broke off
                    continue
                self.record.heard.append(Heard.of(text, at_s=self._now_s(), sent_ms=self.record.sent_ms))
                self._news.set()
        except ConnectionClosed as error:
            rcvd = error.rcvd
            self.record.closing = Closing(
                self._now_s(), None if rcvd is None else rcvd.code, "" if rcvd is None else rcvd.reason
            )
            self._news.set()

    def _now_s(self) -> float:
        return time.monotonic() - self._started


@asynccontextmanager
async def open_line(
    url: str, headers: dict[str, str], tls: ssl.SSLContext | None, timeout_s: float, *, tag: str = "type"
) -> AsyncIterator[Line]:
    """Connect, and write down whatever comes. A connection that isn't opened is a record too."""
    line = Line(SessionRecord(tag=tag), time.monotonic(), timeout_s)
    try:
        socket = await open_websocket(
            url,
            additional_headers=headers,
            ssl=tls,
            compression=None,
            proxy=websocket_proxy(url),
            logger=_logger,
            open_timeout=timeout_s,
            close_timeout=_CLOSE_TIMEOUT_S,
            max_size=_MAX_MESSAGE_BYTES,
        )
    except (OSError, WebSocketException, EOFError, ImportError, ValueError) as error:
        line.record.refusal = _refusal(error)
        yield line
        return
    line.record.opened_at_s = line._now_s()
    line._socket = socket
    listening = asyncio.create_task(line._listen(socket))
    try:
        yield line
    finally:
        # What comes of our own close is no part of the record.
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await socket.close()


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return Refusal(Trouble.HTTP_STATUS, f"HTTP {status}", status)
    if isinstance(error, ImportError):  # a kind of proxy that needs a package
        return Refusal(Trouble.NETWORK, str(error))
    if isinstance(error, WebSocketException | EOFError):
        return Refusal(Trouble.NOT_WEBSOCKET, str(error) or type(error).__name__)
    return refusal_of(error)
