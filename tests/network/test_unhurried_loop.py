"""The loop's clock counts what it says: otherwise the tests that trust it prove nothing."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from unhurried_loop import UnhurriedLoop, run_unhurried


def test_time_in_which_nothing_ran_does_not_count() -> None:
    async def scene() -> None:
        async with asyncio.timeout(0.1):
            time.sleep(0.2)  # as if the machine were busy elsewhere
            await asyncio.sleep(0.01)

    run_unhurried(scene())


def test_a_timeout_runs_out_all_the_same_and_not_before() -> None:
    async def scene() -> None:
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()

    started_s = time.monotonic()
    with pytest.raises(TimeoutError):
        run_unhurried(scene())
    assert time.monotonic() - started_s >= 0.05


def test_a_clock_that_is_turned_on_lets_an_hour_pass_at_once() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, UnhurriedLoop)
        hour = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        threading.Thread(target=loop.passes, args=(3600,)).start()
        await hour

    run_unhurried(scene())
