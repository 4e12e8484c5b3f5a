"""WebSocket servers on loopback that play what a test writes, and a way to run a scene that must leave nothing."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from open_things import open_things
from tympan.client import ReconnectPolicy, Timeouts
from unhurried_loop import run_unhurried

T = TypeVar("T")

BEGIN = {"type": "Begin", "id": "7f1e4a34-9a3e-4b9e-a0c5-5b0b3c1d2e3f", "expires_at": 1_800_000_000}
TERMINATION = {"type": "Termination", "audio_duration_seconds": 1, "session_duration_seconds": 1}
CHUNK = bytes(1600)
"""50 ms of 16 kHz PCM16."""

AT_ONCE = ReconnectPolicy(max_attempts=5, max_total_s=60, first_delay_s=0.001, longest_delay_s=0.001)
SHORT = Timeouts(open_s=1, begin_s=0.2, send_s=0.2, terminate_s=0.2, close_s=0.2)

Play = Callable[[ServerConnection], Awaitable[None]]
Refusal = Callable[[ServerConnection, Request], Response | None]


def word(text: str, start: int, end: int, *, is_final: bool = True) -> dict[str, Any]:
    return {"start": start, "end": end, "confidence": 0.8, "text": text, "word_is_final": is_final}


def turn(order: int, *words: dict[str, Any], ended: bool = False, formatted: bool = False) -> dict[str, Any]:
    return {
        "type": "Turn",
        "turn_order": order,
        "turn_is_formatted": formatted,
        "end_of_turn": ended,
        "transcript": " ".join(item["text"] for item in words if item["word_is_final"]),
        "end_of_turn_confidence": 0.9,
        "words": list(words),
    }


HI = turn(0, word("Hi.", 0, 200), ended=True, formatted=True)


@asynccontextmanager
async def server(play: Play, *, refuse: Refusal | None = None, **options: Any) -> AsyncIterator[str]:
    async with serve(play, "127.0.0.1", 0, process_request=refuse, close_timeout=0.2, **options) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def say(connection: ServerConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await connection.send(json.dumps(message))


async def hear_terminate(connection: ServerConnection) -> list[bytes | dict[str, Any]]:
    """Everything up to Terminate, that left out."""
    heard: list[bytes | dict[str, Any]] = []
    async for message in connection:
        heard.append(message if isinstance(message, bytes) else json.loads(message))
        if heard[-1] == {"type": "Terminate"}:
            break
    return heard[:-1]


def run(scene: Callable[[], Awaitable[T]]) -> T:
    """Play a scene; it must leave no task, thread or descriptor."""

    async def checked() -> T:
        try:
            return await scene()
        finally:
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks are left: {left}"

    gc.collect()  # what earlier tests left to it
    before = open_things()
    try:
        return run_unhurried(checked())
    finally:
        gc.collect()
        assert not (left := open_things() - before), f"a thread or a descriptor is left: {left}"
