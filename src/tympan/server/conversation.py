"""One session as the server holds it: wire ↔ session ↔ engine link. It outlives the connections that serve it.

Rules:
- Effects are performed in order, on the event loop; the engine's thread only posts what it heard.
- A client that is lost is waited for if it may resume: the engine goes on, messages are kept, and a timer stands
  for the deadlines. Otherwise the session ends with its connection.
- However it ends, `close` frees its place, its stream and its key, and one line says why.
- Nothing here logs audio, text or credentials.
"""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from tympan.core.config import ConfigUpdate
from tympan.core.continuity import Continuity
from tympan.core.effects import Close, Effect, Emit, Feed, Finish, ForceEndpoint, Mark
from tympan.core.errors import NotResumable, ProtocolError, TympanError
from tympan.core.events import Event, ResumeOffer, SessionResumed, TurnEnded, TurnUpdated
from tympan.core.listening import Heard, ListenerOutput
from tympan.core.session import Session
from tympan.core.units import Monotonic
from tympan.server.kept_outbox import KeptOutbox
from tympan.server.outbox import Outbox
from tympan.server.record import VANISHED, SessionRecord
from tympan.wire.server_protocol import Acknowledged, Audio, Farewell, KeepAlive

if TYPE_CHECKING:
    from tympan.server.gateway import Gateway, ServedEngine
    from tympan.server.versions import Asked

logger = logging.getLogger("tympan.server")


class Conversation:
    """The session of one client. `asked` is what it asked for in the protocol `version`, as the log calls it."""

    def __init__(self, gateway: Gateway, engine: ServedEngine, asked: Asked, version: str) -> None:
        self._gateway = gateway
        self._link = engine.link
        self._config = asked.config
        self._protocol = asked.protocol
        self._loop = asyncio.get_running_loop()
        self._id = str(uuid.uuid4())
        self._session = Session(self._id, asked.config, self._now())
        self._continuity = Continuity(gateway.config.resume_window_s if asked.is_resumable else 0)
        self._kept = KeptOutbox() if self._continuity.is_resumable else None
        self.outbox: Outbox = self._kept or Outbox()
        self.farewell: Farewell | None = None  # None while nothing is decided; its messages are in the outbox
        self.record = SessionRecord(self._id, version, engine.name)
        self._expires_at_unix_s = int(gateway.unix_clock() + asked.config.limits.max_duration_s)
        self._held = ExitStack()  # what `close` frees
        self._replace: Callable[[], None] | None = None  # tells the connection that serves it to go
        self._timer: asyncio.TimerHandle | None = None

    @property
    def backlog_ms(self) -> int:
        """Audio that waits to be judged."""
        return self._session.backlog_ms

    @property
    def is_waiting(self) -> bool:
        """Its client is lost and may come back."""
        return self._continuity.is_waiting

    @property
    def is_kept_when_lost(self) -> bool:
        """A client that is lost may come back."""
        return self._continuity.is_resumable and not self._continuity.is_over

    def open(self) -> None:
        """Take a place and a stream, and begin. Who calls it attaches a connection at once.

        Raises:
            TooManySessions: there is no place; nothing is held.
        """
        with ExitStack() as held:
            held.enter_context(self._gateway.admission.place())
            self.record.tell_begin()
            held.callback(self._tell_end)
            self._gateway.conversations.add(self)
            held.callback(self._gateway.conversations.discard, self)
            self._link.open(self._id, self._config, self._deliver)
            held.callback(self._link.close, self._id)
            offer = self._offer(held)
            self._held = held.pop_all()
        self._act(partial(self._session.begin, self._expires_at_unix_s, offer))

    def attach(self, replace: Callable[[], None]) -> None:
        """A connection serves it from now on; `replace` tells that one to go when another comes."""
        self._replace = replace

    def resume(self, messages_received: int) -> tuple[str, ...]:
        """Another connection goes on; its client has received so many messages. Who calls it attaches it at once.

        Returns what to tell first.

        Raises:
            NotResumable: what the client lacks isn't kept; nothing has changed.
        """
        now = self._now()
        self._continuity.advance(now)
        if self._kept is None or self._continuity.is_over:
            raise NotResumable("it isn't kept any more")
        self._kept.rewind(messages_received)
        self._continuity.receive_resumed()
        self._stop_timer()
        if self._replace is not None:
            self._replace()
        self._act(partial(self._session.receive_resumed, now))
        logger.info("session resumed", extra={"session": self._id})
        received, texts = self._session.received_bytes, self._continuity.texts_received
        return self._protocol.messages_for(SessionResumed(self._id, self._expires_at_unix_s, received, texts))

    def lose(self, close_code: int, why: str) -> None:
        """The connection is lost: wait for the client if it may resume, else close."""
        self._note_loss(close_code, why)
        self._replace = None
        now = self._now()
        self._continuity.receive_lost(now)
        if self._continuity.is_over:
            self.close()
            return
        logger.info("connection lost, session kept", extra={"session": self._id})
        self._act(partial(self._session.receive_lost, now))
        self._set_timer()

    def end(self, error: TympanError, *, at_once: bool) -> None:
        """Close with the error; unless `at_once`, everything heard so far is told first. No client is waited for."""
        self._continuity.close()
        if self._replace is None:  # nobody listens
            self._note_loss(VANISHED, str(error))
            self.close()
        else:
            self._act(partial(self._session.refuse if at_once else self._session.end, error))

    def part(self, close_code: int, why: str) -> None:
        """The client left for good: close."""
        self._note_loss(close_code, why)
        self.close()

    def close(self) -> None:
        """Free everything. Idempotent."""
        self._stop_timer()
        self._continuity.close()
        self._session.close()
        self.outbox.abandon()
        self._held.close()

    def receive_audio(self, payload: bytes) -> None:
        """A binary message came."""
        self._act(partial(self._session.receive_audio, payload, self._now()))

    def receive_text(self, text: str) -> None:
        """A text message came."""
        self._act(partial(self._obey if self._session.is_open else self._obey_late, text))

    def deadline(self) -> Monotonic | None:
        """When `advance` next matters, while a connection serves it."""
        return self._session.deadline()

    def advance(self) -> None:
        """Time passed."""
        self._act(partial(self._session.advance, self._now()))

    def farewell_for(self, error: TympanError) -> Farewell:
        """How a connection ends that isn't the session's any more."""
        return self._protocol.farewell(error)

    def _note_loss(self, close_code: int, why: str) -> None:
        if self.farewell is None:
            self.record.close_code, self.record.why = close_code, why

    def _offer(self, held: ExitStack) -> ResumeOffer | None:
        if not self._continuity.is_resumable:
            return None
        key = self._gateway.resume_keys.issue(self)
        held.callback(self._gateway.resume_keys.withdraw, key)
        return ResumeOffer(key, math.ceil(self._gateway.config.resume_window_s))

    def _obey(self, text: str) -> list[Effect]:
        request, now = self._protocol.receive_text(text), self._now()
        if isinstance(request, Acknowledged):
            return self._acknowledge(request)
        self._continuity.receive_text()
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

    def _obey_late(self, text: str) -> list[Effect]:
        """After Terminate not even nonsense matters: what was said is still to be told. But it is counted."""
        if self._kept is not None:
            with suppress(ProtocolError):
                request = self._protocol.receive_text(text)
                if isinstance(request, Acknowledged):
                    return self._acknowledge(request)
            self._continuity.receive_text()
        return []

    def _acknowledge(self, acknowledged: Acknowledged) -> list[Effect]:
        if self._kept is not None:
            self._kept.acknowledge(acknowledged.messages)
        return self._session.receive_keep_alive(self._now())

    def _deliver(self, output: ListenerOutput) -> None:
        """Called from the engine's thread."""
        with suppress(RuntimeError):  # the loop has closed: the server stopped without waiting for this session
            self._loop.call_soon_threadsafe(self._hear, output)

    def _hear(self, output: ListenerOutput) -> None:
        self._act(partial(self._understand, output))

    def _understand(self, output: ListenerOutput) -> list[Effect]:
        effects = self._session.receive_heard(output, self._now())
        if self._session.is_closed or not isinstance(output, Heard):
            return effects
        return [*effects, *map(Emit, self._continuity.receive_heard(output, self._session.received_bytes))]

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
        self.record.turns += isinstance(event, TurnEnded)
        for text in self._protocol.messages_for(event):
            self.outbox.put(text, is_partial=is_partial)

    def _leave(self, words: Farewell, why: str) -> None:
        """Nothing more is told after what waits and the farewell; the engine is free at once."""
        self.farewell = replace(words, messages=())
        self.record.close_code, self.record.why = words.code, why
        self._link.close(self._id)
        for text in words.messages:
            self.outbox.put(text)
        self.outbox.finish()

    def _tell_end(self) -> None:
        self.record.tell_end(self._session.received_ms / 1000, self._gateway.metrics)

    def _set_timer(self) -> None:
        deadlines = [due for due in (self._continuity.deadline(), self._session.deadline()) if due is not None]
        self._timer = self._loop.call_at(min(deadlines), self._wake)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        """A deadline fell while nobody was there."""
        self.advance()
        self._continuity.advance(self._now())
        if self._continuity.is_over:
            self.close()
        else:
            self._set_timer()

    def _now(self) -> Monotonic:
        return Monotonic(self._loop.time())
