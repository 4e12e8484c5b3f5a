"""Holds one conversation over a line that is cut again and again, and compares it with an uncut one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from tcp_proxy import Direction, Harm, How

from tympan.client import ReconnectPolicy, connect
from tympan.client.aio import Timing
from tympan.client.events import Event, Reconnected, Reconnecting
from tympan.wire.v3.messages import Turn

CHUNK_MS = 50
AT_ONCE = ReconnectPolicy(max_attempts=200, max_total_s=120, first_delay_s=0.02, longest_delay_s=0.5)

TimedWord = tuple[str, int, int]


@dataclass
class Told:
    """What a client was told in one conversation."""

    raw: list[tuple[int, tuple[TimedWord, ...]]] = field(default_factory=list)
    """Turn order and words of each raw final."""
    formatted: list[tuple[int, str]] = field(default_factory=list)
    seams_ms: list[int] = field(default_factory=list)
    """Where the audio that was sent again begins, for each new connection."""
    how: Counter[str] = field(default_factory=Counter)
    lost_connections: int = 0
    offered_ms: int = 0

    def receive(self, event: Event) -> None:
        """The client was told something."""
        match event:
            case Turn(end_of_turn=True, turn_is_formatted=True):
                self.formatted.append((event.turn_order, event.transcript))
            case Turn(end_of_turn=True):
                words = tuple((word.text, word.start, word.end) for word in event.words)
                self.raw.append((event.turn_order, words))
            case Reconnecting(attempt=1):
                self.lost_connections += 1
            case Reconnected(how=how, resent_ms=resent_ms):
                self.how[how.value] += 1
                self.seams_ms.append(self.offered_ms - resent_ms)

    @property
    def words(self) -> list[TimedWord]:
        return [word for _, words in self.raw for word in words]

    @property
    def text(self) -> str:
        return " ".join(word[0] for word in self.words)

    @property
    def orders(self) -> list[int]:
        return [order for order, _ in self.raw]


async def converse(
    url: str,
    api_key: str,
    audio: bytes,
    *,
    rate_hz: int = 16_000,
    speed: float | None = None,
    policy: ReconnectPolicy = AT_ONCE,
    timing: Timing | None = None,
    **parameters: Any,
) -> Told:
    """Send all audio, `speed` times as fast as a microphone would or as fast as it goes, and hear all of it."""
    told = Told()
    values = {"sample_rate": rate_hz, "format_turns": True, **parameters}
    async with (
        connect(url, api_key=api_key, parameters=values, reconnect=policy, timing=timing or Timing()) as session,
        asyncio.TaskGroup() as tasks,
    ):

        async def send() -> None:
            chunk_bytes = rate_hz * CHUNK_MS // 1000 * 2
            loop = asyncio.get_running_loop()
            due = loop.time()
            for start in range(0, len(audio), chunk_bytes):
                if speed is not None:
                    due += CHUNK_MS / 1000 / speed
                    await asyncio.sleep(max(0.0, due - loop.time()))
                await session.send_audio(audio[start : start + chunk_bytes])
                told.offered_ms += CHUNK_MS
            await session.terminate()

        tasks.create_task(send())
        async for event in session:
            told.receive(event)
    return told


def random_harms(
    chance: random.Random,
    count: int,
    mean_s: float,
    *,
    hows: tuple[How, ...],
    rate_hz: int = 16_000,
    told_share: float = 0.3,
    told_bytes_per_s: int = 6_000,
) -> Iterator[Harm]:
    """Cuts at random moments: the seconds until each are spread evenly up to twice the mean.

    They count what the server has said, in that share of cuts, else what it was sent. A service that is given audio
    again is sent a minute of it at once: where all cuts count what was sent, it never gets beyond that minute.
    `told_bytes_per_s` is about what a server says for each second of speech: four partials of ten to twenty words.
    """
    for _ in range(count):
        is_told = chance.random() < told_share
        bytes_until = max(1, int(chance.uniform(0, 2 * mean_s) * (told_bytes_per_s if is_told else rate_hz * 2)))
        direction = Direction.TO_CLIENT if is_told else Direction.TO_SERVER
        yield Harm(chance.choice(hows), after_bytes=bytes_until, direction=direction)


@dataclass(frozen=True)
class Difference:
    """Where two transcripts differ: the words of the one and of the other, and when."""

    expected: tuple[str, ...]
    got: tuple[str, ...]
    at_ms: int

    @property
    def word_count(self) -> int:
        return max(len(self.expected), len(self.got))


def differences(expected: Told, got: Told) -> list[Difference]:
    """Every place where the words differ, by text; times are the expected ones."""
    before = [_key(word[0]) for word in expected.words]
    after = [_key(word[0]) for word in got.words]
    found = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            at_ms = expected.words[min(a, len(before) - 1)][1]
            found.append(Difference(tuple(before[a:b]), tuple(after[c:d]), at_ms))
    return found


def _key(text: str) -> str:
    return text.lower().strip(".,?!\"'")
