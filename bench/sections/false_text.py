"""Words written where nobody speaks: silences of several kinds and every noise clip, an hour in all.

Each kind is looped in a session of its own, shorter than the backlog that a server accepts, so it can go
at full speed. Any word in any message counts, partials included.
"""

from __future__ import annotations

import numpy as np

from bench.context import Context, Job
from bench.conversation import Pace
from bench.dataset import RATE_HZ, SAMPLES_PER_MS, Samples, read_audio, room_tone, to_int16
from bench.messages import Conversation
from bench.report import Figure, at_most

_HOUR_MS = 3_600_000
_QUICK_MS = 240_000
_LONGEST_SESSION_MS = 250_000
_FULL_SPEED = Pace(is_real_time=False, max_ahead_ms=_LONGEST_SESSION_MS)


def run(context: Context) -> list[Figure]:
    total_ms = _QUICK_MS if context.is_quick else _HOUR_MS
    sources = _silences()
    for path in context.dataset.noises:
        sources[path.stem] = read_audio(path)
    each_ms = total_ms // len(sources)
    repeats = -(-each_ms // _LONGEST_SESSION_MS)
    with context.server() as server:
        jobs = [
            Job(looped(samples, each_ms // repeats), pace=_FULL_SPEED)
            for samples in sources.values()
            for _ in range(repeats)
        ]
        logs = context.hold_all(server, jobs, at_once=2)
    words = {
        name: sum(shown_words(log) for log in logs[i * repeats : (i + 1) * repeats]) for i, name in enumerate(sources)
    }
    loud = ", ".join(f"{name}: {count}" for name, count in words.items() if count)
    audio = (
        f"{sum(log.audio_ms for log in logs) / 60_000:.1f} min: {len(_silences())} kinds of silence, "
        f"{len(context.dataset.noises)} noise clips, looped"
    )
    return [Figure("false text", "words written", sum(words.values()), "", audio, at_most(0), loud)]


def shown_words(log: Conversation) -> int:
    """The most words that each turn ever showed, added up."""
    most: dict[int, int] = {}
    for turn in log.turns:
        shown = max(len(turn.words), len(turn.transcript.split()))
        most[turn.turn_order] = max(shown, most.get(turn.turn_order, 0))
    return sum(most.values())


def looped(samples: Samples, duration_ms: int) -> Samples:
    """Repeated until it lasts that long."""
    return np.resize(samples, duration_ms * SAMPLES_PER_MS)


def _silences() -> dict[str, Samples]:
    seconds = np.arange(20 * RATE_HZ) / RATE_HZ
    brown = np.cumsum(np.random.default_rng(1).standard_normal(len(seconds)))
    brown -= np.linspace(brown[0], brown[-1], len(brown))
    return {
        "digital silence": np.zeros(20 * RATE_HZ, dtype=np.int16),
        "room tone -60 dBFS": room_tone(20_000),
        "white noise -40 dBFS": room_tone(20_000, level_dbfs=-40, seed=2),
        "brown noise -30 dBFS": to_int16(brown / brown.std() * 10 ** (-30 / 20)),
        "50 Hz hum -35 dBFS": to_int16(np.sin(2 * np.pi * 50 * seconds) * 2**0.5 * 10 ** (-35 / 20)),
    }
