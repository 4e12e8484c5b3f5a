"""A conversation that outlives its connections: a client that is lost is waited for, and may go on over another.

Meanwhile the engine goes on, messages are kept, place and stream stay taken, and a timer stands for the deadlines.
How long, what is counted and what a client is told about it are the rules of `core.continuity` and
`core.kept_messages`. Its key is never logged.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

from tympan.core.continuity import Continuity
from tympan.core.effects import Effect, Emit
from tympan.core.errors import NotResumable, ProtocolError, TympanError
from tympan.core.events import ResumeOffer, SessionResumed
from tympan.core.listening import Heard, ListenerOutput
from tympan.server.conversation import Conversation
from tympan.server.kept_outbox import KeptOutbox
from tympan.server.record import GOODBYES, VANISHED
from tympan.wire.server_protocol import Acknowledged, ClientInput

if TYPE_CHECKING:
    from tympan.server.gateway import Gateway, ServedEngine
    from tympan.server.versions import Asked

logger = logging.getLogger("tympan.server")


class ResumableConversation(Conversation):
    """The session of a client that asked to be waited for."""

    def __init__(self, gateway: Gateway, engine: ServedEngine, asked: Asked, version: str) -> None:
        self._kept = KeptOutbox()
        super().__init__(gateway, engine, asked, version, self._kept)
        self._window_s = gateway.config.resume_window_s
        self._continuity = Continuity(self._window_s)
        self._key = ""
        self._replace: Callable[[], None] | None = None  # tells the connection that serves it to go
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        return self._continuity.is_waiting

    @property
    def outlives_connections(self) -> bool:
        return not self._continuity.is_over

    @property
    def kept_bytes(self) -> int:
        """What its client was told and may still ask for."""
        return self._kept.kept_bytes

    def attach(self, replace: Callable[[], None]) -> None:
        self._replace = replace

    def resume(self, messages_received: int) -> tuple[str, ...]:
        """Another connection goes on; its client has received so many messages. Who calls it attaches it at once.

        Returns what to tell first.

        Raises:
            NotResumable: what the client lacks isn't kept; nothing has changed.
        """
        now = self._now()
        self._continuity.advance(now)
        if self._continuity.is_over:
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
        """The connection is lost: wait for the client. One that left for good isn't waited for."""
        self._replace = None
        now = self._now()
        self._continuity.receive_lost(now)
        if close_code in GOODBYES or self._continuity.is_over:
            super().lose(close_code, why)
            return
        logger.info("connection lost, session kept", extra={"session": self._id})
        self._act(partial(self._session.receive_lost, now))
        self._set_timer()

    def end(self, error: TympanError, *, at_once: bool) -> None:
        """The same, and no client is waited for any more."""
        self._continuity.close()
        if self._replace is None:  # nobody is there to be told
            super().lose(VANISHED, str(error))
        else:
            super().end(error, at_once=at_once)

    def close(self) -> None:
        self._stop_timer()
        self._continuity.close()
        super().close()

    def _finish_alone(self) -> None:
        self._stop_timer()
        self._continuity.close()
        super()._finish_alone()

    def _hold(self, held: ExitStack, key_id: str) -> None:
        super()._hold(held, key_id)
        self._key = self._gateway.resume_keys.issue(self)
        held.callback(self._gateway.resume_keys.withdraw, self._key)

    def _begin(self) -> list[Effect]:
        return self._session.begin(self._expires_at_unix_s, ResumeOffer(self._key, math.ceil(self._window_s)))

    def _obey_request(self, request: ClientInput) -> list[Effect]:
        if isinstance(request, Acknowledged):
            self._kept.acknowledge(request.messages)
        else:
            self._continuity.receive_text()
        return super()._obey_request(request)

    def _obey_late(self, text: str) -> list[Effect]:
        """After Terminate only acknowledgements matter. All else is counted, nonsense too."""
        with suppress(ProtocolError):
            request = self._protocol.receive_text(text)
            if isinstance(request, Acknowledged):
                self._kept.acknowledge(request.messages)
                return []
        self._continuity.receive_text()
        return []

    def _understand(self, output: ListenerOutput) -> list[Effect]:
        effects = super()._understand(output)
        if self._session.is_closed or not isinstance(output, Heard):
            return effects
        return [*effects, *map(Emit, self._continuity.receive_heard(output, self._session.received_bytes))]

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
            super().lose(VANISHED, "the client did not come back")
        else:
            self._set_timer()
