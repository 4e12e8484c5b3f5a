"""Word error rate of each utterance in a session of its own, beside the offline decode; and word times.

Audio goes as fast as accepted, with a second of room tone behind it. The immutable words are each word as
it read when it first became final.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench.context import Context, Job
from bench.conversation import FAST
from bench.dataset import Utterance, room_tone, spread
from bench.messages import Conversation
from bench.metrics import final_words_in_order, share_percent, time_errors
from bench.offline import offline_errors
from bench.report import Figure, Target, at_least, at_most
from bench.scoring import total, word_errors

_TAIL_MS = 1_000
_QUICK_MS = 120_000
_OFFLINE_TARGET = 8.1
"""7.8 % published with the data, plus 0.3."""

_TEXTS: dict[str, tuple[Callable[[Conversation], str], float | None]] = {
    "formatted finals": (lambda log: log.formatted_text, 0.5),
    "raw finals": (lambda log: log.raw_text, None),
    "immutable words": (lambda log: " ".join(final_words_in_order(log.turns)), 1.5),
}
"""What is scored, and how many points over offline it may be."""


def run(context: Context) -> list[Figure]:
    utterances = context.dataset.utterances
    if context.is_quick:
        utterances = tuple(spread(utterances, _QUICK_MS))
    jobs = [Job(np.concatenate([utterance.samples(), room_tone(_TAIL_MS)]), pace=FAST) for utterance in utterances]
    with context.server() as server:
        logs = context.hold_all(server, jobs, at_once=2)
    return _word_error_rates(context, utterances, logs) + _word_times(context, utterances, logs)


def _word_error_rates(context: Context, utterances: Sequence[Utterance], logs: Sequence[Conversation]) -> list[Figure]:
    minutes = sum(utterance.duration_ms for utterance in utterances) / 60_000
    audio = f"{context.dataset.name}: {len(utterances)} utterances, {minutes:.1f} min, fast"
    is_whole = len(utterances) == len(context.dataset.utterances) and context.dataset.name == "data"
    offline = offline_errors(utterances)

    def rate(name: str, percent: float, target: Target | None, note: str = "") -> Figure:
        return Figure("accuracy", name, percent, "% WER", audio, target, note)

    figures = [rate("offline greedy decode", offline.percent, at_most(_OFFLINE_TARGET) if is_whole else None)]
    for name, (text_of, allowed) in _TEXTS.items():
        errors = total(
            word_errors(utterance.text, text_of(log), is_digits=utterance.is_digits)
            for utterance, log in zip(utterances, logs, strict=True)
        )
        figures.append(rate(name, errors.percent, None, f"{errors.errors} of {errors.words} words"))
        if allowed is not None:
            over = errors.percent - offline.percent
            figures.append(Figure("accuracy", f"{name} over offline", over, "points", audio, at_most(allowed)))
    return figures


def _word_times(context: Context, utterances: Sequence[Utterance], logs: Sequence[Conversation]) -> list[Figure]:
    aligned = [(u, log) for u, log in zip(utterances, logs, strict=True) if u.words]
    errors = [error for u, log in aligned for error in time_errors(log.turns, u.words)]
    if not errors:
        return []
    spoken = sum(len(utterance.words) for utterance, _ in aligned)
    audio = f"{context.dataset.name}: {len(errors)} of {spoken} words of {len(aligned)} aligned utterances"
    starts = share_percent(abs(error.start_ms) < 100 for error in errors)
    ends = share_percent(abs(error.end_ms) < 150 for error in errors)
    return [
        Figure("word times", "start within 100 ms", starts, "%", audio, at_least(90)),
        Figure("word times", "end within 150 ms", ends, "%", audio, at_least(80)),
    ]
