"""Gateway: what all connections of one server share. It holds no rules and no sockets.

A gateway exists before its engine does: until `open_for` it answers that it is loading. `drain` ends every
session with its last words told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tympan.core.errors import ServerStopping
from tympan.runtime.admission import Admission
from tympan.runtime.key_limits import KeyPlaces
from tympan.runtime.link import EngineLink
from tympan.runtime.metrics import Metrics
from tympan.server.auth import Authenticator
from tympan.server.config import ServerConfig
from tympan.server.conversation import Conversation
from tympan.server.outbound.deliveries import DRAIN_S, Deliveries
from tympan.server.outbound.language_model import LanguageModel
from tympan.server.resumable import ResumableConversation
from tympan.server.resume_keys import ResumeKeys
from tympan.server.stage import Stage
from tympan.server.tokens import TokenMint
from tympan.server.visits import Visits


class State(StrEnum):
    """Whether sessions may begin."""

    LOADING = "loading"
    OK = "ok"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class ServedEngine:
    """A loaded engine behind its link. Where it plays a script, its connections are on a stage."""

    name: str
    model: str
    link: EngineLink
    stage: Stage | None = None


class Gateway:
    """Configuration, credentials, places, counters, and the sessions that run."""

    def __init__(self, config: ServerConfig, unix_clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.unix_clock = unix_clock
        self.mint = TokenMint(
            config.auth.token_secret,
            is_single_use=config.auth.has_single_use_tokens,
            unix_clock=unix_clock,
        )
        self.authenticator = Authenticator(config.auth, self.mint, is_strict=config.session.limits.is_strict)
        self.admission = Admission(config.max_sessions)
        self.key_places = KeyPlaces(config.key_limits)
        self.metrics = Metrics()
        self.metrics.sessions_active.set_function(lambda: self.admission.active)
        self.metrics.backlog_max.set_function(self._longest_backlog_s)
        self.metrics.sessions_kept.set_function(self._kept_count)
        self.conversations: set[Conversation] = set()
        self.resume_keys: ResumeKeys[ResumableConversation] = ResumeKeys()
        self.engine: ServedEngine | None = None
        self._is_stopping = False
        self.visits = Visits()
        self.deliveries = Deliveries(config.outbound, self.metrics, unix_clock)
        self.language_model: LanguageModel | None = None
        if config.outbound.llm_url is not None:
            self.language_model = LanguageModel(config.outbound, self.metrics)

    @property
    def state(self) -> State:
        if self._is_stopping:
            return State.STOPPING
        return State.LOADING if self.engine is None else State.OK

    def open_for(self, engine: ServedEngine) -> None:
        """Sessions may begin from now on."""
        self.engine = engine

    async def drain(self, timeout_s: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """End every session; returns when all clients were told and webhooks had their time, or as soon as
        `is_hurried`."""
        self._is_stopping = True
        error = ServerStopping("The server is shutting down")
        await self.visits.drain(self.conversations, error, timeout_s, is_hurried)
        for conversation in list(self.conversations):
            if conversation.is_alone:
                conversation.close()
        await self.deliveries.drain(DRAIN_S, is_hurried)
        if self.language_model is not None:
            await self.language_model.close()

    def _kept_count(self) -> int:
        return sum(conversation.is_waiting for conversation in self.conversations)

    def _longest_backlog_s(self) -> float:
        return max((conversation.backlog_ms for conversation in self.conversations), default=0) / 1000
