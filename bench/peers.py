"""The wheel's own C++ streaming transcriber, in a subprocess, put in the shape of our own log.

A line of its text is a turn; its words are final when the line is complete. It has no formatted final.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.dataset import RATE_HZ, SAMPLES_PER_MS, Samples
from bench.messages import Conversation, SentControl, ShownWord, TurnMessage


class PeerFailed(Exception):
    """The peer's process failed."""


@dataclass(frozen=True, slots=True)
class PeerRun:
    """What the peer did on some audio."""

    conversation: Conversation
    cpu_per_audio_s: float


def run_peer(samples: Samples) -> PeerRun:
    """Stream the samples to the peer at real time.

    Raises:
        PeerFailed: its process failed; the message holds its last words.
    """
    started_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "audio.pcm"
        samples.tofile(path)
        command = [sys.executable, "-m", "bench.peer_worker", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerFailed(done.stderr.strip()[-300:])
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    summary = next(row for row in rows if row["type"] == "summary")
    conversation = Conversation(
        turns=peer_turns(row for row in rows if row["type"] == "event"),
        controls=(SentControl(summary["stopped_ms"], "Terminate"),),
        audio_ms=len(samples) // SAMPLES_PER_MS,
        wall_s=time.perf_counter() - started_s,
        lag_p99_ms=0.0,
    )
    return PeerRun(conversation, summary["cpu_s"] / (len(samples) / RATE_HZ))


def peer_turns(events: Iterable[dict[str, Any]]) -> tuple[TurnMessage, ...]:
    """Its events as Turn messages. It tells a complete line twice (changed, completed): once is enough."""
    turns: list[TurnMessage] = []
    orders: dict[int, int] = {}
    for event in events:
        words = tuple(
            ShownWord(text, event["start_ms"], event["end_ms"], event["is_complete"]) for text in event["text"].split()
        )
        order = orders.setdefault(event["line"], len(orders))
        is_complete = event["is_complete"]
        if turns and turns[-1].turn_order == order and turns[-1].end_of_turn:
            continue
        turns.append(TurnMessage(event["at_ms"], order, words, event["text"], is_complete, False))
    return tuple(turns)
