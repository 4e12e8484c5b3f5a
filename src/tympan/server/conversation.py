"""One session as the server holds it: wire ↔ session ↔ engine link. A connection is only its way to the client.

Rules:
- Effects are performed in order, on the event loop; the engine's thread only posts what it heard.
- However it ends, `close` frees its place and its stream, and one line says why.
- Nothing here logs audio, text or credentials.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from tympan.core.config import ConfigUpdate
from tympan.core.effects import Close, Effect, Emit, Feed, Finish, ForceEndpoint, Mark
from tympan.core.errors import TympanError
from tympan.core.events import Event, SessionEnded, TurnEnded, TurnUpdated
from tympan.core.listening import ListenerOutput
from tympan.core.session import Session
from tympan.core.units import Monotonic
from tympan.server.outbound.language_model import LAST_ANSWERS_S
from tympan.server.outbound.outsiders import Outsiders
from tympan.server.outbox import Outbox
from tympan.server.record import SessionRecord
from tympan.wire.server_protocol import Acknowledged, Audio, ClientInput, Farewell, KeepAlive

if TYPE_CHECKING:
    from tympan.server.gateway import Gateway, ServedEngine
    from tympan.server.versions import Asked

logger = logging.getLogger("tympan.server")

ALONE_S = 30.0
"""Time for judging what a client had sent that vanished, where its finals are wanted elsewhere."""


class Conversation:
    """The session of one client. `asked` is what it asked for in the protocol `version`, as the log calls it.

    Its one connection is its life: `resumable` has those that outlive theirs.
    """

    def __init__(
        self, gateway: Gateway, engine: ServedEngine, asked: Asked, version: str, outbox: Outbox | None = None
    ) -> None:
        self._gateway = gateway
        self._link = engine.link
        self._config = asked.config
        self._protocol = asked.protocol
        self._loop = asyncio.get_running_loop()
        self._id = str(uuid.uuid4())
        self._session = Session(self._id, asked.config, self._now())
        self.outbox = outbox or Outbox()
        self.farewell: Farewell | None = None  # None while nothing is decided; its messages are in the outbox
        self._record = SessionRecord(self._id, version, engine.name)
        self._expires_at_unix_s = int(gateway.unix_clock() + asked.config.limits.max_duration_s)
        self._held = ExitStack()  # what `close` frees
        self._outsiders = Outsiders(gateway, asked, self._id, self.outbox.put, self._let_go)
        self._held_back: list[Effect] = []  # how it ends, while answers are due
        self._is_alone = False

    @property
    def backlog_ms(self) -> int:
        """Audio that waits to be judged."""
        return self._session.backlog_ms

    @property
    def is_all_judged(self) -> bool:
        """Of the audio received; a few milliseconds may wait for what follows them (see `dsp.decode`)."""
        return self._link.is_idle(self._id)

    @property
    def received_ms(self) -> int:
        """Audio received."""
        return self._session.received_ms

    @property
    def is_waiting(self) -> bool:
        """Its client is lost and may come back."""
        return False

    @property
    def outlives_connections(self) -> bool:
        """A client that is lost may come back."""
        return False

    @property
    def is_alone(self) -> bool:
        """Its client is gone for good; what came is still judged, for its webhook."""
        return self._is_alone

    def open(self, key_id: str = "") -> None:
        """Take a place and a stream, and begin; it counts as a session of that key. Who calls it attaches a
        connection at once.

        Raises:
            SessionRefused: there is no place, or none for the key; nothing is held.
        """
        with ExitStack() as held:
            self._hold(held, key_id)
            self._held = held.pop_all()
        self._act(self._begin)

    def attach(self, replace: Callable[[], None]) -> None:
        """A connection serves it from now on; `replace` tells that one to go, should another come."""

    def lose(self, close_code: int, why: str) -> None:
        """The connection is lost, or the client left: close, once all is judged that its webhook is to tell."""
        if self._is_alone:
            return
        if self.farewell is None:
            self._record.close_code, self._record.why = close_code, why
        if self._outsiders.want_finals and not self._session.is_closed:
            self._finish_alone()
        else:
            self.close()

    def end(self, error: TympanError, *, at_once: bool) -> None:
        """Close with the error; unless `at_once`, everything heard so far is told first."""
        self._act(partial(self._session.refuse if at_once else self._session.end, error))

    def close(self) -> None:
        """Free everything. Idempotent."""
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
        """When `advance` next matters."""
        return self._session.deadline()

    def advance(self) -> None:
        """Time passed."""
        self._act(partial(self._session.advance, self._now()))

    def farewell_for(self, error: TympanError) -> Farewell:
        """How a connection ends that isn't its own any more."""
        return self._protocol.farewell(error)

    def _hold(self, held: ExitStack, key_id: str) -> None:
        """Take what `close` frees."""
        held.enter_context(self._gateway.admission.place())
        held.enter_context(self._gateway.key_places.place(key_id, self._now()))
        self._record.tell_begin()
        held.callback(self._tell_end)
        self._gateway.conversations.add(self)
        held.callback(self._gateway.conversations.discard, self)
        self._link.open(self._id, self._config, self._deliver)
        held.callback(self._link.close, self._id)
        held.callback(self._outsiders.close)

    def _finish_alone(self) -> None:
        """Judge what came, with nobody there to be told; who stops the server waits for it as for a client."""
        self._is_alone = True
        self.outbox.abandon()
        self._outsiders.stop_asking()
        self._held.enter_context(self._gateway.visits.visit())
        self._held.callback(self._loop.call_later(ALONE_S, self._cut_short).cancel)
        self._act(lambda: self._session.receive_terminate(self._now()))

    def _cut_short(self) -> None:
        """Its engine is too slow."""
        waiting = {"session": self._id, "audio_ms": self.backlog_ms}
        logger.warning("audio of a client that is gone was not judged in time", extra=waiting)
        self.close()

    def _begin(self) -> list[Effect]:
        return self._session.begin(self._expires_at_unix_s)

    def _obey(self, text: str) -> list[Effect]:
        return self._obey_request(self._protocol.receive_text(text))

    def _obey_request(self, request: ClientInput) -> list[Effect]:
        now = self._now()
        match request:
            case Audio(payload):
                return self._session.receive_audio(payload, now)
            case ForceEndpoint():
                return self._session.receive_force_endpoint(now)
            case Finish():
                return self._session.receive_terminate(now)
            case ConfigUpdate():
                self.outbox.wake()  # its writer waits for a deadline, and a nearer one may come
                return self._session.receive_update(request, now)
            case KeepAlive() | Acknowledged():
                return self._session.receive_keep_alive(now)
            case _:
                assert_never(request)

    def _obey_late(self, text: str) -> list[Effect]:
        """After Terminate not even nonsense matters: what was said is still to be told."""
        return []

    def _deliver(self, output: ListenerOutput) -> None:
        """Called from the engine's thread."""
        with suppress(RuntimeError):  # the loop has closed: the server stopped without waiting for this session
            self._loop.call_soon_threadsafe(self._hear, output)

    def _hear(self, output: ListenerOutput) -> None:
        self._act(partial(self._understand, output))

    def _understand(self, output: ListenerOutput) -> list[Effect]:
        return self._session.receive_heard(output, self._now())

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
        for index, effect in enumerate(effects):
            match effect:
                case Emit(SessionEnded()) if self._outsiders.owe_answers:
                    self._hold_back(effects[index:])
                    return
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

    def _hold_back(self, effects: list[Effect]) -> None:
        """The end is told after the answers that are due, or when they take too long."""
        self._held_back = effects
        self._held.callback(self._loop.call_later(LAST_ANSWERS_S, self._let_go).cancel)

    def _let_go(self) -> None:
        """No answer is due any more, or they took too long."""
        effects, self._held_back = self._held_back, []
        if effects:
            self._outsiders.stop_asking()
            self._act(lambda: effects)

    def _tell(self, event: Event) -> None:
        is_partial = isinstance(event, TurnUpdated) and not event.utterance_words
        texts = self._protocol.messages_for(event)
        for text in texts:
            self.outbox.put(text, is_partial=is_partial)
        if isinstance(event, TurnEnded):
            self._record.turns += 1
            self._outsiders.receive_final(texts[-1])

    def _leave(self, words: Farewell, why: str) -> None:
        """Nothing more is told after what waits and the farewell; the engine is free at once."""
        self.farewell = replace(words, messages=())
        if self._is_alone:
            self.close()
            return
        self._record.close_code, self._record.why = words.code, why
        self._link.close(self._id)
        self._outsiders.stop_asking()
        for text in words.messages:
            self.outbox.put(text)
        self.outbox.finish()

    def _tell_end(self) -> None:
        self._record.tell_end(self.received_ms / 1000, self._gateway.metrics)

    def _now(self) -> Monotonic:
        return Monotonic(self._loop.time())
