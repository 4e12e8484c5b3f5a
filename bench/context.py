"""What a section gets: the data, a way to hold conversations, and the tally that these add to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.conversation import REAL_TIME, Control, Pace, converse
from bench.dataset import Dataset, Samples
from bench.messages import Conversation
from bench.metrics import Stillness, stillness
from bench.report import Figure
from bench.server import API_KEY, COMMAND, Server

LAG_LIMIT_MS = 50
"""Sending later than this (p99) makes a real-time run untrustworthy."""


class SectionSkipped(Exception):
    """The data at hand doesn't have what the section needs; the message says what."""


@dataclass(frozen=True, slots=True)
class Job:
    """One session to hold."""

    samples: Samples
    parameters: dict[str, str] = field(default_factory=dict)
    pace: Pace = REAL_TIME
    controls: tuple[Control, ...] = ()


@dataclass(slots=True)
class Context:
    """One section's; a section has its own, so that it knows what its own sessions did."""

    dataset: Dataset
    is_quick: bool
    command: Sequence[str] = COMMAND
    stillness: Stillness = field(default_factory=Stillness)
    sessions: int = 0
    worst_lag_ms: float = 0.0

    def server(self, **environment: str) -> Server:
        """A server of its own for a section, so that figures don't depend on what ran before."""
        return Server(self.command, environment=environment)

    async def hold_async(self, server: Server, job: Job) -> Conversation:
        """Hold one session and add it to the tally."""
        conversation = await converse(
            server.address,
            job.samples,
            api_key=API_KEY,
            parameters={"format_turns": "true", **job.parameters},
            pace=job.pace,
            controls=job.controls,
        )
        self.stillness += stillness(conversation.turns)
        self.sessions += 1
        self.worst_lag_ms = max(self.worst_lag_ms, conversation.lag_p99_ms)
        return conversation

    def hold(self, server: Server, job: Job) -> Conversation:
        """The same, alone."""
        return asyncio.run(self.hold_async(server, job))

    def hold_all(self, server: Server, jobs: Sequence[Job], *, at_once: int) -> list[Conversation]:
        """Hold many sessions, some at once; logs in the order of the jobs."""

        async def hold_all() -> list[Conversation]:
            seats = asyncio.Semaphore(at_once)

            async def hold_seated(job: Job) -> Conversation:
                async with seats:
                    return await self.hold_async(server, job)

            return await asyncio.gather(*(hold_seated(job) for job in jobs))

        return asyncio.run(hold_all())


def lag_note(conversations: Sequence[Conversation]) -> str:
    """A warning when our own sending was late, else nothing."""
    worst_ms = max((conversation.lag_p99_ms for conversation in conversations), default=0.0)
    if worst_ms <= LAG_LIMIT_MS:
        return ""
    return f"NOT TRUSTWORTHY: sending lagged {worst_ms:.0f} ms (p99)"


def skipped(section: str, reason: str) -> Figure:
    """The row of a section that couldn't run on this data."""
    return Figure(section, "skipped", None, "", "", None, reason)


def failed(section: str, error: BaseException) -> Figure:
    """The row of a section that broke."""
    return Figure(section, "FAILED", None, "", "", None, f"{type(error).__name__}: {error}")
