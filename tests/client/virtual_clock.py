"""A clock that passes only when somebody waits for it."""

from __future__ import annotations

import asyncio

from tympan.core.units import Monotonic


class VirtualClock:
    """For one waiter at a time: waiting is what makes its time pass."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def now(self) -> Monotonic:
        return Monotonic(self.time_s)

    async def sleep(self, seconds: float) -> None:
        self.time_s += seconds
        await asyncio.sleep(0)
