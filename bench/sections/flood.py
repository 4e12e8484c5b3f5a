"""What floods do to others: the delay of ordinary sessions' messages while clients send as fast as they can.

With a script each chunk of an ordinary session causes one partial at once. With the engine the same speech is sent
with and without a flood, and each message is compared with itself: what is told depends on the audio alone.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from bench.context import Context, Job
from bench.dataset import SAMPLES_PER_MS, composite, spread
from bench.flooding import FLOODS, flooding
from bench.metrics import percentile
from bench.report import Figure
from bench.server import API_KEY, Server

_CHUNK_MS = 50
_CHUNK = b"\0" * (_CHUNK_MS * SAMPLES_PER_MS * 2)
_SCRIPTED_SESSIONS, _SPEAKING_SESSIONS = 3, 2
_WORDS, _PAUSE_CHUNKS = 20, 8
"""Of an utterance, one word a chunk; and silence that ends its turn."""
_COUNTS = (1, 3, 10)
_SETTLING_S = 1.0
"""The beginning of the flooders' sessions isn't measured."""
_LAST_S = 3.0
"""For what comes after the last chunk."""
_SEATS = {"TYMPAN_MAX_SESSIONS": "20"}


def run(context: Context) -> list[Figure]:
    counts = (3,) if context.is_quick else _COUNTS
    plans = [("opus", 0), *((kind, count) for kind in FLOODS for count in counts)]
    seconds = 4 if context.is_quick else 12
    return [*_scripted(context, plans, seconds), *_speaking(context, plans, seconds)]


def _scripted(context: Context, plans: Sequence[tuple[str, int]], seconds: int) -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        spoken = {"words": _words(seconds * 1000 // _CHUNK_MS)}
        script.write_text(json.dumps({"sessions": [*[spoken] * _SCRIPTED_SESSIONS, {"words": []}]}))
        command = [*context.command, "--engine", "scripted", "--model", str(script)]
        for kind, count in plans:
            with Server(command, environment=_SEATS) as server:
                delays_ms = asyncio.run(_delays_ms(server, kind, count, seconds))
            figures += _figures("chunk → partial", kind, count, delays_ms)
    return figures


def _words(chunks: int) -> list[dict[str, object]]:
    """A word in each chunk, shown as soon as it is over, and pauses that end turns."""
    return [
        {"text": f"w{chunk}", "start_ms": chunk * _CHUNK_MS, "end_ms": chunk * _CHUNK_MS + 40, "shown_after_ms": 0}
        for chunk in range(chunks)
        if chunk % (_WORDS + _PAUSE_CHUNKS) < _WORDS
    ]


def _figures(what: str, kind: str, count: int, delays_ms: Sequence[float]) -> list[Figure]:
    flood = f"{count} × {kind}" if count else "no flood"
    audio = f"{len(delays_ms)} messages"
    tail = [percentile(delays_ms, percent) for percent in (50, 95)]
    return [
        Figure("flood", f"{what} {name}", value, "ms", audio, variant=flood)
        for name, value in zip(("p50", "p95", "max"), (*tail, max(delays_ms)), strict=True)
    ]


async def _delays_ms(server: Server, kind: str, count: int, seconds: int) -> list[float]:
    address = f"{server.address}/v3/ws?sample_rate=16000"
    async with AsyncExitStack() as stack:
        sockets = []
        for _ in range(_SCRIPTED_SESSIONS):  # before the flood: sessions play the script in order
            opening = connect(address, additional_headers={"Authorization": API_KEY}, compression=None)
            sockets.append(await stack.enter_async_context(opening))
            await sockets[-1].recv()
        with flooding(server.address, kind, count):
            await asyncio.sleep(_SETTLING_S)
            starts_s = [time.perf_counter() + index * _CHUNK_MS / 1000 / len(sockets) for index in range(len(sockets))]
            talks = [_talk(socket, start_s, seconds) for socket, start_s in zip(sockets, starts_s, strict=True)]
            return [delay_ms for delays_ms in await asyncio.gather(*talks) for delay_ms in delays_ms]


async def _talk(socket: ClientConnection, start_s: float, seconds: int) -> list[float]:
    """Send chunks at real time; how long after its chunk each word was shown. One that wasn't took for ever."""
    sent_s: dict[str, float] = {}
    shown_s: dict[str, float] = {}

    async def listen() -> None:
        async for text in socket:
            for word in json.loads(text).get("words", ()):
                shown_s.setdefault(word["text"], time.perf_counter())

    listening = asyncio.create_task(listen())
    for chunk in range(seconds * 1000 // _CHUNK_MS):
        await asyncio.sleep(max(0.0, start_s + chunk * _CHUNK_MS / 1000 - time.perf_counter()))
        if chunk % (_WORDS + _PAUSE_CHUNKS) < _WORDS:
            sent_s[f"w{chunk}"] = time.perf_counter()
        await socket.send(_CHUNK)
    await asyncio.sleep(_LAST_S)
    listening.cancel()
    return [(shown_s.get(word, float("inf")) - at_s) * 1000 for word, at_s in sent_s.items()]


def _speaking(context: Context, plans: Sequence[tuple[str, int]], seconds: int) -> list[Figure]:
    samples = composite(spread(context.dataset.utterances, seconds * 1000), gap_ms=700).samples
    jobs = [Job(samples)] * _SPEAKING_SESSIONS
    figures: list[Figure] = []
    quiet_ms: list[float] = []
    for kind, count in plans:
        with context.server(**_SEATS) as server, flooding(server.address, kind, count):
            time.sleep(_SETTLING_S)
            logs = context.hold_all(server, jobs, at_once=len(jobs))
        told_ms = [turn.at_ms for log in logs for turn in log.turns]
        quiet_ms = quiet_ms or told_ms
        added_ms = [flooded - quiet for quiet, flooded in zip(quiet_ms, told_ms, strict=True)]
        if count:
            figures += _figures("added to the engine's messages", kind, count, added_ms)
    return figures
