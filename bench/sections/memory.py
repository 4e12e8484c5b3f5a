"""Memory of the server: without sessions, per idle session, and per session that speaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import numpy as np
from websockets.asyncio.client import connect

from bench.context import Context, Job
from bench.conversation import FAST
from bench.dataset import SAMPLES_PER_MS, Samples, composite, spread
from bench.report import Figure
from bench.server import API_KEY, Server

_IDLE_COUNTS = (1, 5, 10, 15, 20)
_ACTIVE_COUNTS = (1, 2, 3, 4)
_SPEAK_MS = 20_000


def run(context: Context) -> list[Figure]:
    chosen = context.dataset.aligned or context.dataset.utterances
    piece = composite(spread(chosen, _SPEAK_MS), gap_ms=200).samples[: _SPEAK_MS * SAMPLES_PER_MS]
    with context.server(TYMPAN_MAX_SESSIONS=str(2 * max(_IDLE_COUNTS))) as server:
        # One session before, so that what is loaded on first use is not counted.
        context.hold(server, Job(piece, pace=FAST))
        base_mb = server.resident_mb()
        idle_mb = asyncio.run(_idle_memory(server))
        active_mb = [asyncio.run(_active_memory(context, server, piece, n)) for n in _ACTIVE_COUNTS]
    idle_audio = f"slope over {_IDLE_COUNTS} sessions"
    active_audio = f"slope of the peak over {_ACTIVE_COUNTS} sessions of {_SPEAK_MS // 1000} s of speech"
    idle = slope(_IDLE_COUNTS, idle_mb)
    active = slope(_ACTIVE_COUNTS, active_mb)
    return [
        Figure("memory", "no session", base_mb, "MB", "resident, after one session"),
        Figure("memory", "per idle session", idle, "MB", idle_audio),
        Figure("memory", "per active session", active, "MB", active_audio),
    ]


async def _idle_memory(server: Server) -> list[float]:
    """Resident memory at each number of sessions that have begun and say nothing."""
    resident_mb: list[float] = []
    async with asyncio.TaskGroup() as group:
        done = asyncio.Event()
        opened = 0
        for count in _IDLE_COUNTS:
            ready = [asyncio.Event() for _ in range(count - opened)]
            for event in ready:
                group.create_task(_idle_session(server, event, done))
            await asyncio.gather(*(event.wait() for event in ready))
            opened = count
            await asyncio.sleep(0.5)
            resident_mb.append(server.resident_mb())
        done.set()
    return resident_mb


async def _idle_session(server: Server, ready: asyncio.Event, done: asyncio.Event) -> None:
    url = f"{server.address}/v3/ws?sample_rate=16000"
    async with connect(url, additional_headers={"Authorization": API_KEY}) as socket:
        await socket.recv()
        ready.set()
        await done.wait()
        await socket.send(json.dumps({"type": "Terminate"}))
        async for message in socket:
            if json.loads(message)["type"] == "Termination":
                break


async def _active_memory(context: Context, server: Server, piece: Samples, count: int) -> float:
    """Peak of resident memory while so many sessions speak at real time."""
    speaking = asyncio.gather(*(context.hold_async(server, Job(piece)) for _ in range(count)))
    peak_mb = 0.0
    while not speaking.done():
        peak_mb = max(peak_mb, server.resident_mb())
        await asyncio.sleep(0.2)
    await speaking
    return peak_mb


def slope(counts: Sequence[int], values: Sequence[float]) -> float:
    """Least-squares slope."""
    return float(np.polyfit(counts, values, 1)[0])
