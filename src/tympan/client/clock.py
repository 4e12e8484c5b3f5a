"""The clock that paces audio: passed in, so that a test may run hours in a moment."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from tympan.core.units import Monotonic


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> Monotonic: ...

    async def sleep(self, seconds: float) -> None:
        """Return that much later; other tasks run meanwhile, even for 0."""


class RoomClock:
    """The clock on the wall."""

    def now(self) -> Monotonic:
        return Monotonic(time.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
