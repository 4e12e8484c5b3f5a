"""Switchboard: what all connections of one bridge share. It holds no rules and no sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from tympan.bridge.config import BridgeConfig
from tympan.core.errors import ServerStopping, TympanError
from tympan.runtime.admission import Admission
from tympan.server.auth import Authenticator
from tympan.server.tokens import TokenMint

_DRAIN_POLL_S = 0.02
_FAREWELL_S = 0.5


class BridgedCall(Protocol):
    """What a switchboard knows of a session that runs."""

    def end(self, error: TympanError, *, at_once: bool) -> None:
        """Close with the error; unless `at_once`, everything heard so far is told first."""


class Switchboard:
    """Configuration, credentials, places, and the sessions that run."""

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
        self.calls: set[BridgedCall] = set()
        self.is_stopping = False
        self._visits = 0

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Count a WebSocket connection for as long as it has something to say."""
        self._visits += 1
        try:
            yield
        finally:
            self._visits -= 1

    async def drain(self, timeout_s: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """End every session; returns when all clients were told, or as soon as `is_hurried`.

        What the service couldn't tell within the timeout is lost; the client is still told why.
        """
        self.is_stopping = True
        for at_once, patience_s in ((False, timeout_s), (True, _FAREWELL_S)):
            for call in list(self.calls):
                call.end(ServerStopping("The bridge is shutting down"), at_once=at_once)
            give_up_at = time.monotonic() + patience_s
            while self._visits and time.monotonic() < give_up_at and not is_hurried():
                await asyncio.sleep(_DRAIN_POLL_S)
