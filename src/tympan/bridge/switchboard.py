"""Switchboard: what all connections of one bridge share. It holds no rules and no sockets."""

from __future__ import annotations

import time
from collections.abc import Callable

from tympan.bridge.config import BridgeConfig
from tympan.bridge.metrics import BridgeMetrics
from tympan.core.errors import ServerStopping
from tympan.runtime.admission import Admission
from tympan.server.auth import Authenticator
from tympan.server.tokens import TokenMint
from tympan.server.visits import Endable, Visits


class Switchboard:
    """Configuration, credentials, places, counters, and the sessions that run."""

    def __init__(self, config: BridgeConfig, unix_clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.unix_clock = unix_clock
        self.mint = TokenMint(
            config.auth.token_secret,
            is_single_use=config.auth.has_single_use_tokens,
            unix_clock=unix_clock,
        )
        self.authenticator = Authenticator(config.auth, self.mint)
        self.admission = Admission(config.max_sessions)
        self.metrics = BridgeMetrics()
        self.metrics.sessions_active.set_function(lambda: self.admission.active)
        self.calls: set[Endable] = set()
        self.is_stopping = False
        self.visits = Visits()

    async def drain(self, timeout_s: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """End every session; returns when all clients were told, or as soon as `is_hurried`."""
        self.is_stopping = True
        await self.visits.drain(self.calls, ServerStopping("The bridge is shutting down"), timeout_s, is_hurried)
