"""What the bridge adds: time from a chunk to the partial that it causes, through the bridge and without it.

The server plays a script, so that every chunk causes one partial at once, and the difference is the bridge's own.
Both ways take turns, chunk by chunk; many idle sessions are open at the bridge meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from bench.context import Context
from bench.metrics import percentile
from bench.report import Figure, at_most
from bench.server import API_KEY, COMMAND, Server

IDLE_SESSIONS = 200
_CHUNK = b"\0" * 3200  # 100 ms
_IDLE_S = 10.0
_UTTERANCES = 30
_QUICK_UTTERANCES = 8
_WORDS = 20
"""Of an utterance."""
_PAUSE_CHUNKS = 8
"""Enough for an utterance to end; v2 takes 700 ms."""
_BRIDGE = (*COMMAND[:-1], "bridge")


def run(context: Context) -> list[Figure]:
    utterances = _QUICK_UTTERANCES if context.is_quick else _UTTERANCES
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"words": _words(utterances)}))
        serve = [*context.command, "--engine", "scripted", "--model", str(script)]
        with Server(serve, environment={"TYMPAN_MAX_SESSIONS": str(IDLE_SESSIONS + 10)}) as server:
            command = [*_BRIDGE, "--upstream", server.address, "--upstream-key", API_KEY]
            with Server(command, health_path="/health") as bridge:
                return asyncio.run(_measure(server, bridge, utterances))


def _words(utterances: int) -> list[dict[str, object]]:
    """A word in each chunk, shown as soon as it is over, and pauses between utterances."""
    chunks = range(utterances * (_WORDS + _PAUSE_CHUNKS))
    spoken = [chunk for chunk in chunks if chunk % (_WORDS + _PAUSE_CHUNKS) < _WORDS]
    return [
        {"text": f"word{chunk}", "start_ms": chunk * 100, "end_ms": chunk * 100 + 80, "shown_after_ms": 0}
        for chunk in spoken
    ]


async def _measure(server: Server, bridge: Server, utterances: int) -> list[Figure]:
    empty_mb = bridge.resident_mb()
    async with AsyncExitStack() as stack:
        for _ in range(IDLE_SESSIONS):
            await stack.enter_async_context(_session(bridge))
        idle_share = await _idle_cpu_share(bridge)
        direct = await stack.enter_async_context(_session(server))
        bridged = await stack.enter_async_context(_session(bridge))
        pairs: list[tuple[float, float]] = []
        for _ in range(utterances):
            pairs += [(await _delay_ms(direct), await _delay_ms(bridged)) for _ in range(_WORDS)]
            await asyncio.gather(_pause(direct), _pause(bridged))
        per_session_mb = (bridge.resident_mb() - empty_mb) / IDLE_SESSIONS
    straight = [pair[0] for pair in pairs]
    across = [pair[1] for pair in pairs]
    audio = f"{len(pairs)} chunks of 100 ms, {IDLE_SESSIONS} idle sessions"
    note = f"without the bridge p50 {percentile(straight, 50):.1f}, p95 {percentile(straight, 95):.1f} ms"

    def added(percent: int) -> float:
        return percentile(across, percent) - percentile(straight, percent)

    return [
        Figure("bridge", "added to chunk → partial p50", added(50), "ms", audio, None, note),
        Figure("bridge", "added to chunk → partial p95", added(95), "ms", audio, at_most(5), note),
        Figure("bridge", "idle CPU", 100 * idle_share, "% of a core", f"{IDLE_SESSIONS} sessions", None, ""),
        Figure("bridge", "memory per session", per_session_mb, "MB", f"{IDLE_SESSIONS} sessions", None, ""),
    ]


@asynccontextmanager
async def _session(server: Server) -> AsyncIterator[ClientConnection]:
    """A v2 session that has begun."""
    address = f"{server.address}/v2/realtime/ws?sample_rate=16000"
    headers = {"Authorization": API_KEY}
    async with connect(address, additional_headers=headers, compression=None, ping_interval=None) as connection:
        await connection.recv()
        yield connection


async def _idle_cpu_share(bridge: Server) -> float:
    before_s = bridge.cpu_s()
    await asyncio.sleep(_IDLE_S)
    return (bridge.cpu_s() - before_s) / _IDLE_S


async def _delay_ms(connection: ClientConnection) -> float:
    sent_at = time.perf_counter()
    await connection.send(_CHUNK)
    await connection.recv()
    return (time.perf_counter() - sent_at) * 1000


async def _pause(connection: ClientConnection) -> None:
    """Silence until the utterance has ended."""
    for _ in range(_PAUSE_CHUNKS):
        await connection.send(_CHUNK)
    while json.loads(await connection.recv())["message_type"] != "FinalTranscript":
        pass
