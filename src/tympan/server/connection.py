"""One WebSocket connection: socket ↔ wire ↔ session ↔ engine link. A pump: every rule is elsewhere.

Rules:
- Effects are performed in order, on the event loop; the engine's thread only posts what it heard.
- Whatever ends a connection, its place, its stream and its tasks are freed, and one line says why.
- Nothing here logs audio, text or credentials.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import assert_never

from starlette.websockets import WebSocket, WebSocketDisconnect

from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.effects import Close, Effect, Emit, Feed, Finish, ForceEndpoint, Mark
from tympan.core.errors import TympanError
from tympan.core.events import Event, TurnEnded, TurnUpdated
from tympan.core.listening import ListenerOutput
from tympan.core.session import Session
from tympan.core.units import Monotonic
from tympan.server.gateway import Gateway, ServedEngine
from tympan.server.outbox import Outbox
from tympan.server.record import SessionRecord
from tympan.wire.server_protocol import Audio, Farewell, KeepAlive, ServerProtocol

logger = logging.getLogger("tympan.server")

CONNECTION_LOST = (WebSocketDisconnect, RuntimeError)
"""What sending raises when the peer is gone; uvicorn's choice depends on who noticed first."""

_MESSAGES_IN_A_ROW = 32  # then other connections have their turn


class Connection:
    """The pump of one session. `protocol` is the version that its client speaks, called `version` in the log."""

    def __init__(
        self,
        socket: WebSocket,
        gateway: Gateway,
        engine: ServedEngine,
        config: SessionConfig,
        protocol: ServerProtocol,
        version: str,
    ) -> None:
        self._socket = socket
        self._gateway = gateway
        self._link = engine.link
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._id = str(uuid.uuid4())
        self._session = Session(self._id, config, self._now())
        self._protocol = protocol
        self._outbox = Outbox()
        self._farewell: Farewell | None = None  # None while nothing is decided, and when nobody listens
        self._record = SessionRecord(self._id, version, engine.name)

    @property
    def backlog_ms(self) -> int:
        """Audio that waits to be judged."""
        return self._session.backlog_ms

    def end(self, error: TympanError, *, at_once: bool) -> None:
        """Close with the error; unless `at_once`, everything heard so far is told first."""
        self._act(partial(self._session.refuse if at_once else self._session.end, error))

    async def run(self) -> Farewell | None:
        """Talk until one side ends the session; everything is freed on return.

        Returns what is left to say, or None when nobody listens any more.
        """
        self._record.tell_begin()
        self._gateway.conversations.add(self)
        try:
            self._link.open(self._id, self._config, self._deliver)
            expires_at = self._gateway.unix_clock() + self._config.limits.max_duration_s
            self._act(partial(self._session.begin, int(expires_at)))
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read())
                await self._write()
                reader.cancel()
        finally:
            self._session.close()
            self._link.close(self._id)
            self._gateway.conversations.discard(self)
            self._record.tell_end(self._session.received_ms / 1000, self._gateway.metrics)
        return self._farewell

    async def _read(self) -> None:
        """Client to session. Ends when the client is gone."""
        count = 0
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            payload: bytes | None = message.get("bytes")
            if payload is not None:
                self._act(partial(self._session.receive_audio, payload, self._now()))
            else:
                self._act(partial(self._receive_text, message["text"]))
            count += 1
            if count % _MESSAGES_IN_A_ROW == 0:
                await asyncio.sleep(0)
        if self._farewell is None:
            self._session.close()
            # uvicorn gives no reason, not even an empty one, when there was no close message.
            if "reason" in message:
                self._record.close_code, self._record.why = message["code"], "the client left"
        self._outbox.abandon()

    async def _write(self) -> None:
        """Outbox to client, and the session's deadlines. Ends when all is told or nobody listens."""
        timeout_s = self._gateway.config.network.send_timeout_s
        try:
            while not self._outbox.is_done:
                text = self._outbox.take()
                if self._outbox.is_overfull:
                    raise TimeoutError
                if text is None:
                    deadline = self._session.deadline()
                    await self._outbox.wait(None if deadline is None else max(0.0, deadline - self._now()))
                    self._act(partial(self._session.advance, self._now()))
                    continue
                async with asyncio.timeout(timeout_s):
                    await self._socket.send_text(text)
        except TimeoutError:
            self._leave(None, "the client reads too slowly")
        except CONNECTION_LOST:
            self._leave(None, self._record.why)

    def _receive_text(self, text: str) -> list[Effect]:
        if not self._session.is_open:
            return []  # after Terminate not even nonsense matters: what was said is still to be told
        request, now = self._protocol.receive_text(text), self._now()
        match request:
            case Audio(payload):
                return self._session.receive_audio(payload, now)
            case ForceEndpoint():
                return self._session.receive_force_endpoint(now)
            case Finish():
                return self._session.receive_terminate(now)
            case ConfigUpdate():
                return self._session.receive_update(request, now)
            case KeepAlive():
                return self._session.receive_keep_alive(now)
            case _:
                assert_never(request)

    def _deliver(self, output: ListenerOutput) -> None:
        """Called from the engine's thread."""
        with suppress(RuntimeError):  # the loop has closed: the server stopped without waiting for this session
            self._loop.call_soon_threadsafe(self._hear, output)

    def _hear(self, output: ListenerOutput) -> None:
        self._act(partial(self._session.receive_heard, output, self._now()))

    def _act(self, step: Callable[[], list[Effect]]) -> None:
        """Take one step and perform what it asks for; a step that fails ends the session."""
        try:
            self._perform(step())
        except TympanError as error:
            self._perform(self._session.refuse(error))
        except Exception as bug:  # the boundary of a session
            logger.exception("session failed", extra={"session": self._id})
            self._session.close()
            self._leave(self._protocol.farewell(bug), "internal error")

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Emit(event):
                    self._tell(event)
                case Feed(payload):
                    self._link.feed(self._id, payload)
                case Mark(control):
                    self._link.mark(self._id, control)
                case Close(error):
                    self._leave(self._protocol.farewell(error), "terminated" if error is None else str(error))
                case _:
                    assert_never(effect)

    def _tell(self, event: Event) -> None:
        is_partial = isinstance(event, TurnUpdated) and not event.utterance_words
        self._record.turns += isinstance(event, TurnEnded)
        for text in self._protocol.messages_for(event):
            self._outbox.put(text, is_partial=is_partial)

    def _leave(self, words: Farewell | None, why: str) -> None:
        """Nothing more is told after what waits; the engine is free at once."""
        self._farewell, self._record.why = words, why
        self._link.close(self._id)
        if words is None:
            self._outbox.abandon()
        else:
            self._record.close_code = words.code
            self._outbox.finish()

    def _now(self) -> Monotonic:
        return Monotonic(self._loop.time())
