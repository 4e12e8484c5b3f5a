"""Hours of speech through one session, faster than real time: memory, step time and timestamps.

The session ends with a marker, twice: ten seconds of room tone and one utterance, beginning at a whole
multiple of 12 s, which every frame and step length divides. A short session of some speech and the same two
markers must give the same times, shifted by exactly the difference. The second marker is compared: what is
before it is the same in both sessions for longer than a voice activity detector remembers.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import numpy as np

from bench.context import Context, Job
from bench.conversation import FAST
from bench.dataset import SAMPLES_PER_MS, Samples, composite, room_tone
from bench.messages import Conversation, ShownWord
from bench.report import Figure, at_most
from bench.server import Server

_FULL_MS = 3 * 3_600_000
_QUICK_MS = 300_000
_GAP_MS = 700
_GRID_MS = 12_000
_LEAD_MS = 10_000


def run(context: Context) -> list[Figure]:
    speech = composite(context.dataset.utterances, gap_ms=_GAP_MS)
    offset_ms = (_QUICK_MS if context.is_quick else _FULL_MS) // _GRID_MS * _GRID_MS
    marker = _marker(context)
    looped = _on_grid(speech.samples)
    with context.server() as server:
        short_log = context.hold(server, Job(_marked(looped, _GRID_MS, marker), pace=FAST))
        log, resident_mb = asyncio.run(_hold_watched(context, server, _marked(looped, offset_ms, marker)))
    audio = f"{offset_ms / 3_600_000:.2f} h of joined utterances, one session, fast"
    marker_ms = len(marker) // SAMPLES_PER_MS
    early, late = words_after(short_log, _GRID_MS + marker_ms), words_after(log, offset_ms + marker_ms)
    drift_ms = marker_drift_ms(early, late, offset_ms - _GRID_MS)
    first, last = _ends(resident_mb)
    step_first, step_last = _ends(wall_per_audio_minute_s(log))
    reported = abs((log.reported_audio_s or 0) - log.audio_ms / 1000)
    factor = log.audio_ms / 1000 / log.wall_s
    growth = 100 * (last / first - 1)
    slowdown = 100 * (step_last / step_first - 1)
    memory_note = f"median of the first and last quarter: {first:.0f} and {last:.0f} MB"
    step_note = f"{step_first:.2f} and {step_last:.2f} s per minute of audio in the first and last quarter"
    drift_note = "largest difference in word times of the same utterance, early and at the end"
    return [
        Figure("longevity", "growth of memory", growth, "%", audio, at_most(5), memory_note),
        Figure("longevity", "slowing down", slowdown, "%", audio, at_most(20), step_note),
        Figure("longevity", "drift of word times", drift_ms, "ms", audio, at_most(0), drift_note),
        Figure("longevity", "error of the reported duration", reported, "s", audio, at_most(1)),
        Figure("longevity", "speed", factor, "× real time", audio),
    ]


def words_after(log: Conversation, start_ms: int) -> list[ShownWord]:
    """Words of raw finals that begin after a time."""
    return [word for turn in log.turns if turn.is_raw_final for word in turn.words if word.start_ms >= start_ms]


def marker_drift_ms(early: Sequence[ShownWord], late: Sequence[ShownWord], shift_ms: int) -> float:
    """Largest difference of times after the shift; nan when the words aren't the same."""
    if not early or [word.text for word in early] != [word.text for word in late]:
        return float("nan")
    return max(
        max(abs(b.start_ms - a.start_ms - shift_ms), abs(b.end_ms - a.end_ms - shift_ms))
        for a, b in zip(early, late, strict=True)
    )


def wall_per_audio_minute_s(log: Conversation) -> list[float]:
    """Wall seconds between the first words of successive minutes of audio."""
    arrivals: dict[int, float] = {}
    for turn in log.turns:
        if turn.words:
            arrivals.setdefault(turn.words[-1].end_ms // 60_000, turn.at_ms / 1000)
    return [later - earlier for earlier, later in itertools.pairwise(arrivals.values())]


def _marker(context: Context) -> Samples:
    utterances = context.dataset.aligned or context.dataset.utterances
    chosen = min(utterances, key=lambda utterance: abs(utterance.duration_ms - 5_000))
    tail = room_tone(2_000, seed=8)
    return _on_grid(np.concatenate([room_tone(_LEAD_MS, seed=7), chosen.samples(), tail]))


def _marked(speech: Samples, duration_ms: int, marker: Samples) -> Samples:
    """The speech, looped, for that long, and the marker twice."""
    return np.concatenate([np.resize(speech, duration_ms * SAMPLES_PER_MS), marker, marker])


def _on_grid(samples: Samples) -> Samples:
    """With room tone up to the next multiple of the grid, so that what follows begins on it."""
    return np.concatenate([samples, room_tone(-(len(samples) // SAMPLES_PER_MS) % _GRID_MS)])


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Median of the first quarter and of the last; the very first value (warming up) is left out."""
    steady = values[1:] if len(values) > 4 else values
    quarter = max(1, len(steady) // 4)
    return float(np.median(steady[:quarter])), float(np.median(steady[-quarter:]))


async def _hold_watched(context: Context, server: Server, samples: Samples) -> tuple[Conversation, list[float]]:
    holding = asyncio.create_task(context.hold_async(server, Job(samples, pace=FAST)))
    resident_mb: list[float] = []
    while not holding.done():
        resident_mb.append(server.resident_mb())
        await asyncio.wait([holding], timeout=1)
    return await holding, resident_mb
