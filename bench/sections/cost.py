"""What a stream costs: CPU, memory per session, start-up. The peer's CPU beside it, on the same audio."""

from __future__ import annotations

import asyncio
import json
import tempfile

import numpy as np
from websockets.asyncio.client import connect

from bench.context import Context, Job
from bench.conversation import FAST
from bench.dataset import Composite, composite, spread
from bench.peers import run_peer
from bench.report import Figure, at_most
from bench.server import API_KEY, Server

_FULL_MS = 150_000
_QUICK_MS = 30_000
_IDLE_COUNTS = (1, 5, 10, 15, 20)
_ACTIVE_COUNTS = (1, 2, 3, 4)
_SPEAK_MS = 20_000


def run(context: Context) -> list[Figure]:
    chosen = context.dataset.aligned or context.dataset.utterances
    speech = composite(spread(chosen, _QUICK_MS if context.is_quick else _FULL_MS), gap_ms=200)
    return [*_startup(context), *_cpu(context, speech), *_memory(context, speech)]


def _startup(context: Context) -> list[Figure]:
    with tempfile.TemporaryDirectory() as cache:
        with context.server(TYMPAN_CACHE_DIR=cache) as server:
            cold_s = server.startup_s
        with context.server(TYMPAN_CACHE_DIR=cache) as server:
            warm_s = server.startup_s
    return [
        Figure("cost", "start-up, cold", cold_s, "s", "", None, "no cache; until the health check answers"),
        Figure("cost", "start-up, warm", warm_s, "s", "", None, "cache filled"),
    ]


def _cpu(context: Context, speech: Composite) -> list[Figure]:
    audio = f"{speech.duration_s / 60:.1f} min of continuous speech, real time, one stream"
    with context.server() as server:
        before_s = server.cpu_s()
        context.hold(server, Job(speech.samples))
        ours = (server.cpu_s() - before_s) / speech.duration_s
    peer = run_peer(speech.samples).cpu_per_audio_s
    return [
        Figure("cost", "CPU per second of speech", ours, "s/s", audio, at_most(0.15)),
        Figure("cost", "peer: CPU per second of speech", peer, "s/s", audio),
    ]


def _memory(context: Context, speech: Composite) -> list[Figure]:
    with context.server() as server:
        # One session before, so that what is loaded on first use is not counted.
        piece = speech.samples[: _SPEAK_MS * 16]
        context.hold(server, Job(piece, pace=FAST))
        base_mb = server.resident_mb()
        idle_mb = asyncio.run(_idle_memory(server))
        active_mb = [asyncio.run(_active_memory(context, server, piece, n)) for n in _ACTIVE_COUNTS]
    idle_audio = f"slope over {_IDLE_COUNTS} sessions"
    active_audio = f"slope of the peak over {_ACTIVE_COUNTS} sessions of {_SPEAK_MS // 1000} s of speech"
    idle = slope(list(_IDLE_COUNTS), idle_mb)
    active = slope(list(_ACTIVE_COUNTS), active_mb)
    return [
        Figure("cost", "memory, no session", base_mb, "MB", "resident, after one session"),
        Figure("cost", "memory per idle session", idle, "MB", idle_audio),
        Figure("cost", "memory per active session", active, "MB", active_audio),
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


async def _active_memory(context: Context, server: Server, piece: np.ndarray, count: int) -> float:
    """Peak of resident memory while so many sessions speak at real time."""
    speaking = asyncio.gather(*(context.hold_async(server, Job(piece)) for _ in range(count)))
    peak_mb = 0.0
    while not speaking.done():
        peak_mb = max(peak_mb, server.resident_mb())
        await asyncio.sleep(0.2)
    await speaking
    return peak_mb


def slope(counts: list[int], values: list[float]) -> float:
    """Least-squares slope."""
    return float(np.polyfit(counts, values, 1)[0])
