"""A client that listens to a microphone for hours, and says now and then what it holds.

Run: URL KEY HOURS SPEED [MINUTES]. The microphone is a driver thread that records positioned speech `SPEED` times as
fast as time passes, with as much room for audio as it would have in that time; all else is the library's own. One line
of JSON for each quarter of an hour of audio, or for so many minutes, and one at the end.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
from collections.abc import Callable

import psutil
from speech_track import SpeechTrack, positioned_audio

from tympan.client import SessionParameters, connect
from tympan.client.events import Reconnected
from tympan.client.microphone import CAPACITY_MS, Microphone
from tympan.wire.v3.messages import Turn

RATE_HZ = 16_000
BYTES_PER_MS = RATE_HZ * 2 // 1000
CHUNK_MS = 50
TELL_EVERY_MIN = 15.0


class FastDevice:
    """Records a stretch of positioned audio from a thread of its own, as a driver does, and then ends."""

    name = "fast"
    sample_rate_hz = RATE_HZ
    channels = 1

    def __init__(self, duration_ms: int, speed: float) -> None:
        self._duration_ms = duration_ms
        self._speed = speed
        self._is_over = threading.Event()

    def start(self, deliver: Callable[[bytes, bool], None], ended: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=self._record, args=(deliver,), name="driver")
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()

    def _record(self, deliver: Callable[[bytes, bool], None]) -> None:
        started = time.monotonic()
        samples = RATE_HZ * CHUNK_MS // 1000
        for number in range(self._duration_ms // CHUNK_MS):
            due = started + (number + 1) * CHUNK_MS / 1000 / self._speed
            if self._is_over.wait(max(0.0, due - time.monotonic())):
                return
            deliver(positioned_audio(number * samples, (number + 1) * samples), False)


def hours_track(hours: float) -> SpeechTrack:
    """Somebody who counts, six words a turn, all the time."""
    turn_ms = 6 * 300 + 1500
    return SpeechTrack.counting(int(hours * 3_600_000 - 4_000) // turn_ms)


async def listen(url: str, key: str, hours: float, speed: float, tell_every_min: float = TELL_EVERY_MIN) -> None:
    duration_ms, tell_every_ms = int(hours * 3_600_000) // CHUNK_MS * CHUNK_MS, int(tell_every_min * 60_000)
    device = FastDevice(duration_ms, speed)
    process = psutil.Process()
    words = reconnects = next_tell_ms = 0

    def tell(at_ms: int) -> None:
        gc.collect()
        report = {
            "hours": round(at_ms / 3_600_000, 2),
            "threads": threading.active_count(),
            "tasks": len(asyncio.all_tasks()),
            "descriptors": process.num_fds(),
            "rss_mb": round(process.memory_info().rss / 2**20, 1),
            "objects": len(gc.get_objects()),
            "reconnects": reconnects,
            "words": words,
            "wrong_words": wrong,
            "dropped_ms": microphone.loss.dropped_ms,
        }
        print(json.dumps(report), flush=True)

    wrong = 0
    parameters = SessionParameters(sample_rate=RATE_HZ, format_turns=False)
    async with (
        Microphone(device, capacity_ms=int(CAPACITY_MS * speed)) as microphone,
        connect(url, api_key=key, parameters=parameters) as session,
        asyncio.TaskGroup() as tasks,
    ):

        async def send() -> None:
            sent_ms = 0
            async for chunk in microphone:
                await session.send_audio(chunk)
                sent_ms += len(chunk) // BYTES_PER_MS
                if sent_ms + microphone.loss.dropped_ms >= duration_ms:
                    await microphone.close()
            await session.terminate()

        tasks.create_task(send())
        async for event in session:
            if isinstance(event, Reconnected):
                reconnects += 1
            if isinstance(event, Turn) and event.end_of_turn:
                for word in event.words:
                    wrong += word.text != f"n{words}"
                    words += 1
                if event.words[-1].end >= next_tell_ms:
                    tell(event.words[-1].end)
                    next_tell_ms = event.words[-1].end // tell_every_ms * tell_every_ms + tell_every_ms
    tell(duration_ms)


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])))
