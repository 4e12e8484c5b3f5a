"""A plain WebSocket client that streams audio to a v3 server and writes down what comes back, and when.

At real time the chunk that holds audio [a, b) is sent at t0 + b, as a microphone would, and controls between chunks.
Fast, chunks go as soon as the server is no further behind than `max_ahead_ms`: how far it is, the newest word tells.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.dataset import RATE_HZ, SAMPLES_PER_MS, Samples
from bench.messages import Conversation, SentControl, TurnMessage, turn_message
from bench.metrics import percentile

CHUNK_MS = 50
FAST_CHUNK_MS = 500
_STALL_S = 3.0


class ConversationFailed(Exception):
    """The server ended a session otherwise than by Termination."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How audio is sent: at real time, or as fast as accepted up to `max_ahead_ms` before the newest word."""

    is_real_time: bool = True
    max_ahead_ms: int = 60_000


REAL_TIME = Pace()
FAST = Pace(is_real_time=False)


@dataclass(frozen=True, slots=True)
class Control:
    """A message of ours, due when that much audio has been sent.

    At real time it goes out when that much was spoken: what came since the last chunk is not sent yet then.
    """

    at_ms: int
    message: Mapping[str, Any]


@dataclass(slots=True)
class _Recorder:
    """What has come so far."""

    t0_s: float
    turns: list[TurnMessage] = field(default_factory=list)
    heard_until_ms: int = 0
    last_arrival_s: float = 0.0
    reported_audio_s: int | None = None
    failure: str | None = "the connection closed before Termination"

    def receive(self, message: str | bytes) -> None:
        now_s = _now_s()
        payload = json.loads(message)
        match payload["type"]:
            case "Turn":
                turn = turn_message(payload, (now_s - self.t0_s) * 1000)
                self.turns.append(turn)
                self.last_arrival_s = now_s
                self.heard_until_ms = max([self.heard_until_ms, *(word.end_ms for word in turn.words)])
            case "Termination":
                self.reported_audio_s = payload["audio_duration_seconds"]
                self.failure = None
            case "Error":
                self.failure = f"error {payload.get('error_code')}: {payload['error']}"


async def converse(
    address: str,
    samples: Samples,
    *,
    api_key: str,
    parameters: Mapping[str, str],
    pace: Pace,
    controls: Sequence[Control] = (),
    linger_s: float = 120.0,
) -> Conversation:
    """Stream all samples, say Terminate, and return the log.

    `address` is the server's root, such as `ws://127.0.0.1:8000`; `linger_s` bounds the wait for the
    Termination once everything is sent.

    Raises:
        ConversationFailed: the session ended by an error, or not at all.
    """
    query = urlencode({"sample_rate": RATE_HZ, **parameters})
    async with connect(
        f"{address}/v3/ws?{query}",
        additional_headers={"Authorization": api_key},
        compression=None,
        max_size=None,
        open_timeout=30,
    ) as socket:
        begin = json.loads(await socket.recv())
        if begin["type"] != "Begin":
            raise ConversationFailed(f"expected Begin, got {begin}")
        recorder = _Recorder(_now_s())
        listening = asyncio.create_task(_listen(socket, recorder))
        try:
            sent, lags = await _send_all(socket, recorder, samples, pace, controls)
            async with asyncio.timeout(linger_s):
                await listening
        except TimeoutError:
            recorder.failure = f"no Termination within {linger_s:.0f} s"
        except ConnectionClosed:
            await listening
        finally:
            listening.cancel()
    if recorder.failure is not None:
        raise ConversationFailed(recorder.failure)
    return Conversation(
        tuple(recorder.turns),
        tuple(sent),
        len(samples) // SAMPLES_PER_MS,
        _now_s() - recorder.t0_s,
        percentile(lags, 99) if pace.is_real_time else 0.0,
        recorder.reported_audio_s,
    )


def _now_s() -> float:
    """By the clock of the event loop, which tests may choose."""
    return asyncio.get_running_loop().time()


async def _listen(socket: ClientConnection, recorder: _Recorder) -> None:
    try:
        async for message in socket:
            recorder.receive(message)
    except ConnectionClosed:
        if recorder.failure is not None:
            recorder.failure += f" (close code {socket.close_code})"


async def _send_all(
    socket: ClientConnection,
    recorder: _Recorder,
    samples: Samples,
    pace: Pace,
    controls: Sequence[Control],
) -> tuple[list[SentControl], list[float]]:
    waiting = sorted(controls, key=lambda control: control.at_ms)
    sent: list[SentControl] = []
    lags_ms: list[float] = []

    async def say(message: Mapping[str, Any]) -> None:
        sent.append(SentControl((_now_s() - recorder.t0_s) * 1000, message["type"]))
        await socket.send(json.dumps(message))

    chunk_ms = CHUNK_MS if pace.is_real_time else FAST_CHUNK_MS
    step = chunk_ms * SAMPLES_PER_MS
    for start in range(0, len(samples), step):
        chunk = samples[start : start + step]
        end_ms = (start + len(chunk)) // SAMPLES_PER_MS
        if pace.is_real_time:
            while waiting and waiting[0].at_ms < end_ms:
                await _wait_until_spoken(recorder, waiting[0].at_ms)
                await say(waiting.pop(0).message)
            lags_ms.append(await _wait_until_spoken(recorder, end_ms))
        else:
            await _wait_until_heard(recorder, end_ms - pace.max_ahead_ms)
        await socket.send(chunk.tobytes())
        while waiting and waiting[0].at_ms <= end_ms:
            await say(waiting.pop(0).message)
    await say({"type": "Terminate"})
    return sent, lags_ms


async def _wait_until_spoken(recorder: _Recorder, position_ms: int) -> float:
    """Returns how late it is then, in ms."""
    due_s = recorder.t0_s + position_ms / 1000
    await asyncio.sleep(max(0.0, due_s - _now_s()))
    return (_now_s() - due_s) * 1000


async def _wait_until_heard(recorder: _Recorder, until_ms: int) -> None:
    """Wait for a word at `until_ms`. Silence brings no words: after a stall, the audio counts as heard."""
    while recorder.heard_until_ms < until_ms:
        await asyncio.sleep(0.01)
        quiet_s = _now_s() - max(recorder.last_arrival_s, recorder.t0_s)
        if quiet_s > _STALL_S:
            recorder.heard_until_ms += 5_000
            recorder.last_arrival_s = _now_s()
    await asyncio.sleep(0)
