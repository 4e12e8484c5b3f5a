"""One client of the bridge: its socket ↔ `wire.bridge` ↔ a session of the client library. A pump: rules are elsewhere.

Rules:
- What the client sends is passed on in order; when the service is slow, the client is slowed down too.
- Whatever ends a call, its session upstream and its tasks are ended, and one line says why.
- Nothing here logs audio, text or credentials.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import assert_never

from starlette.websockets import WebSocket

from tympan.bridge.metrics import Ended, ended_by
from tympan.bridge.switchboard import Switchboard
from tympan.client.aio import Session, connect
from tympan.client.errors import AuthError, BufferFull, ClientError
from tympan.client.events import Event, Reconnected, Reconnecting
from tympan.core.errors import MaxDurationExceeded, TympanError
from tympan.core.units import Monotonic
from tympan.server.connection import CONNECTION_LOST
from tympan.server.outbox import Outbox
from tympan.wire.bridge import BridgedSession, ToUpstream
from tympan.wire.bridge_parameters import BridgeRequest
from tympan.wire.close_codes import (
    UPSTREAM_EXPIRED,
    UPSTREAM_REFUSES_KEY,
    V2_GRACEFUL,
    Ending,
    bridge_ending,
    v2_ending,
)
from tympan.wire.server_protocol import Farewell
from tympan.wire.v3.messages import (
    Begin,
    Heartbeat,
    LLMGatewayResponse,
    ServerWarning,
    Silence,
    SpeechStarted,
    Termination,
    Turn,
)

logger = logging.getLogger("tympan.bridge")

_FULL_POLL_S = 0.2
"""How often to ask whether there is room again, while the connection upstream is down and as much as may be is kept."""


class _Left(Exception):
    """Leaves the session upstream at once: nobody waits for its last words."""


class Call:
    """The pump of one session. `max_session_s` is the caller's own limit, None without one."""

    def __init__(
        self,
        socket: WebSocket,
        switchboard: Switchboard,
        request: BridgeRequest,
        call_id: str,
        max_session_s: int | None,
    ) -> None:
        self._socket = socket
        self._switchboard = switchboard
        self._metrics = switchboard.metrics
        self._request = request
        self._max_session_s = max_session_s
        self._loop = asyncio.get_running_loop()
        self._bridged = BridgedSession(
            request.audio,
            wants_information=request.wants_information,
            own_id=call_id,
            unix_clock=switchboard.unix_clock,
        )
        self._id = call_id
        self._outbox = Outbox()
        self._sending = asyncio.Lock()
        self._is_asked_to_end = asyncio.Event()
        self._last_error: TympanError | None = None  # why the bridge itself ends the session
        self._patience = asyncio.timeout(None)
        self._farewell: Farewell | None = None  # None while nothing is decided, and when nobody listens
        self._why = "the client vanished"
        self._ended = Ended.CLIENT_LEFT

    def end(self, error: TympanError, *, at_once: bool) -> None:
        """Close with the error; unless `at_once`, everything heard so far is told first."""
        self._last_error = self._last_error or error
        self._is_asked_to_end.set()
        if at_once and not self._patience.expired():
            self._leave(v2_ending(self._last_error), str(error), ended_by(self._last_error))
            self._patience.reschedule(self._loop.time())

    async def run(self) -> Farewell | None:
        """Talk until one side ends the session. Returns what is left to say; None when nobody listens any more."""
        self._switchboard.calls.add(self)
        upstream = self._switchboard.config.upstream
        called_at = self._now()
        try:
            async with (
                self._patience,
                connect(upstream.url, api_key=upstream.key, parameters=self._request.parameters) as session,
            ):
                self._metrics.connect_seconds.observe(self._now() - called_at)
                await self._converse(session)
        except ClientError as error:
            self._lose(error)
        except (_Left, TimeoutError):
            pass  # the farewell is said already, or nobody is there to hear it
        except Exception as bug:  # the boundary of a session
            logger.exception("session failed", extra={"session": self._id})
            self._leave(v2_ending(bug), "internal error", ended_by(bug))
        finally:
            self._switchboard.calls.discard(self)
            self._tell_end()
        return self._farewell

    async def _converse(self, session: Session) -> None:
        self._tell_begin(session.begin)
        expiry: asyncio.TimerHandle | None = None
        if self._max_session_s is not None:
            error = MaxDurationExceeded("Session Expired: Maximum session duration exceeded")
            expiry = self._loop.call_later(self._max_session_s, lambda: self.end(error, at_once=False))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(step(session)) for step in (self._read, self._listen, self._end_when_asked)]
                await self._write()
                for task in tasks:
                    task.cancel()
        finally:
            if expiry is not None:
                expiry.cancel()
        if self._farewell is None or self._farewell.code != V2_GRACEFUL.code:
            raise _Left

    def _tell_begin(self, begin: Begin) -> None:
        if self._max_session_s is not None:
            cap = int(self._switchboard.unix_clock()) + self._max_session_s
            begin = replace(begin, expires_at=min(begin.expires_at, cap))
        self._tell(self._bridged.begin(begin))
        self._metrics.sessions_begun.inc()
        fields = {"session": self._id, "upstream_session": begin.id}
        if self._request.left_out_terms:
            fields["left_out_terms"] = str(self._request.left_out_terms)
        logger.info("session began", extra=fields)

    async def _read(self, session: Session) -> None:
        """Client to service. Ends when the client is gone, or said something that can't be used."""
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            self._metrics.messages.labels("from_client").inc()
            payload: bytes | None = message.get("bytes")
            if payload is not None:
                step = partial(self._bridged.receive_audio, payload)
            else:
                step = partial(self._bridged.receive_text, message["text"])
            try:
                await self._pass_on(session, step)
            except ClientError:
                return  # the session upstream is over: listening tells why
            except TympanError as error:
                self._leave(v2_ending(error), str(error), ended_by(error))
                return
        self._why = "the client left" if "reason" in message else self._why
        self._outbox.abandon()

    async def _end_when_asked(self, session: Session) -> None:
        await self._is_asked_to_end.wait()
        with suppress(ClientError):
            await self._pass_on(session, self._bridged.terminate)

    async def _pass_on(self, session: Session, step: Callable[[], list[ToUpstream]]) -> None:
        async with self._sending:
            for item in step():
                while not await self._is_taken(session, item):
                    await asyncio.sleep(_FULL_POLL_S)  # nothing more is read from the client meanwhile

    async def _is_taken(self, session: Session, item: ToUpstream) -> bool:
        try:
            if isinstance(item, bytes):
                await session.send_audio(item)
            else:
                await session.send(item)
        except BufferFull:
            return False
        return True

    async def _listen(self, session: Session) -> None:
        """Service to client. Ends with the session."""
        try:
            async for event in session:
                self._hear(event)
        except ClientError as error:
            self._lose(error)
        else:
            self._finish()

    def _hear(self, event: Event) -> None:
        fields: dict[str, object] = {"session": self._id}
        match event:
            case Turn():
                self._tell(self._bridged.receive_turn(event, self._now()))
                self._outbox.wake()  # a deadline may have come up
            case ServerWarning(warning_code, warning):
                logger.warning("the service warns", extra=fields | {"code": warning_code, "warning": warning})
            case Reconnecting(error=error) if error.context.close_code == UPSTREAM_EXPIRED:
                self._lose(error)  # the client library would go on in another session, which v2 doesn't have
            case Reconnecting(attempt, delay_s, error):
                self._metrics.reconnect_attempts.inc()
                logger.warning(
                    "connection to the service lost",
                    extra=fields | {"attempt": attempt, "delay_s": delay_s, "why": str(error)},
                )
            case Reconnected(how, upstream_id, resent_ms, missing_ms):
                self._metrics.reconnects.labels(how).inc()
                self._metrics.audio_missing.inc(missing_ms / 1000)
                more = {"upstream_session": upstream_id, "resent_ms": resent_ms, "missing_ms": missing_ms}
                logger.info("connected to the service again", extra=fields | {"how": str(how)} | more)
            case SpeechStarted() | Heartbeat() | Silence() | LLMGatewayResponse() | Termination():
                pass  # v2 has no such message; the end is told when iteration stops
            case _:
                assert_never(event)

    async def _write(self) -> None:
        """Outbox to client, and the deadlines of the session. Ends when all is told or nobody listens."""
        timeout_s = self._switchboard.config.network.send_timeout_s
        try:
            while not self._outbox.is_done:
                text = self._outbox.take()
                if self._outbox.is_overfull:
                    raise TimeoutError
                if text is None:
                    deadline = self._bridged.deadline()
                    await self._outbox.wait(None if deadline is None else max(0.0, deadline - self._now()))
                    self._tell(self._bridged.advance(self._now()))
                    continue
                async with asyncio.timeout(timeout_s):
                    await self._socket.send_text(text)
                self._metrics.messages.labels("to_client").inc()
        except TimeoutError:
            self._farewell, self._why, self._ended = None, "the client reads too slowly", Ended.CLIENT_SLOW
        except CONNECTION_LOST:
            self._farewell = None

    def _finish(self) -> None:
        """The service told everything and ended the session as it was asked to."""
        if self._last_error is not None:
            self._leave(v2_ending(self._last_error), str(self._last_error), ended_by(self._last_error))
        else:
            self._tell(self._bridged.over())
            self._leave(V2_GRACEFUL, "terminated", Ended.FINISHED)

    def _lose(self, error: ClientError) -> None:
        code = UPSTREAM_REFUSES_KEY if isinstance(error, AuthError) else error.context.close_code
        if isinstance(error, AuthError):
            logger.error("the service refuses the bridge's key", extra={"session": self._id})
        self._leave(bridge_ending(code, str(error)), f"upstream: {error}", ended_by(error))

    def _leave(self, ending: Ending, why: str, ended: Ended) -> None:
        """Nothing more is told after what waits. The first reason counts."""
        if self._farewell is None:
            self._farewell, self._why, self._ended = self._bridged.farewell(ending), why, ended
        self._outbox.finish()

    def _tell(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._outbox.put(text)

    def _tell_end(self) -> None:
        self._metrics.sessions_ended.labels(self._ended).inc()
        self._metrics.audio_received.inc(self._bridged.received_s)
        code = None if self._farewell is None else self._farewell.code
        fields = {"session": self._id, "audio_s": self._bridged.received_s, "close_code": code, "why": self._why}
        logger.info("session ended", extra=fields)

    def _now(self) -> Monotonic:
        return Monotonic(self._loop.time())
