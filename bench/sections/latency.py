"""Latency of words and turns at real time, one stream at a time, ours and then the peer's on the same audio.

The sample: utterances evenly spread over the aligned ones, joined with 1.6 s of room tone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.context import Context, Job, SectionSkipped, lag_note
from bench.dataset import Composite, composite, spread
from bench.messages import Conversation
from bench.metrics import percentile, stillness, word_timelines
from bench.peers import run_peer
from bench.report import Figure, Target, at_most
from bench.scoring import word_errors
from bench.turn_metrics import formatting_latencies_ms, judge_turns

_GAP_MS = 1_600
_FULL_MS = 200_000
_QUICK_MS = 45_000

_TARGETS = {
    ("word first shown", 50): at_most(250),
    ("word first shown", 95): at_most(800),
    ("word final", 50): at_most(650),
    ("word final", 95): at_most(1300),
    ("raw final to formatted final", 95): at_most(150),
}


def run(context: Context) -> list[Figure]:
    if not context.dataset.aligned:
        raise SectionSkipped("needs words with true times")
    utterances = spread(context.dataset.aligned, _QUICK_MS if context.is_quick else _FULL_MS)
    joined = composite(utterances, gap_ms=_GAP_MS)
    audio = f"{len(utterances)} utterances joined, {joined.duration_s / 60:.1f} min, real time"
    with context.server() as server:
        ours = context.hold(server, Job(joined.samples))
    figures = _figures("", joined, ours, audio, _TARGETS)
    peer = run_peer(joined.samples)
    figures += _figures("peer: ", joined, peer.conversation, audio, {})
    return figures + _ratios(figures, audio)


def _ratios(figures: Sequence[Figure], audio: str) -> list[Figure]:
    """How many times sooner than the peer, where both were measured."""
    values = {figure.name: figure.value for figure in figures}
    names = [f"{what} p{percent}" for what in ("word first shown", "word final") for percent in (50, 95)]
    ratios = []
    for name in names:
        ours, theirs = values.get(name), values.get(f"peer: {name}")
        if ours and theirs:
            ratios.append(Figure("latency", f"{name}, peer ÷ ours", theirs / ours, "×", audio))
    return ratios


def _figures(
    who: str,
    joined: Composite,
    log: Conversation,
    audio: str,
    targets: Mapping[tuple[str, int], Target],
) -> list[Figure]:
    words = word_timelines(log.turns, joined.words)
    outcome = judge_turns(log, joined.turns)
    still = stillness(log.turns)
    errors = word_errors(joined.text, log.text)
    share = f"{len(words)} of {len(joined.words)} words paired"
    found = f"{len(outcome.latencies_ms)} of {outcome.turns} turns"

    def rows(name: str, values: Iterable[float], note: str) -> list[Figure]:
        listed = list(values)
        full_note = "; ".join(filter(None, [note, lag_note([log])]))
        return [
            Figure(
                "latency",
                f"{who}{name} p{percent}",
                percentile(listed, percent),
                "ms",
                audio,
                targets.get((name, percent)),
                full_note,
            )
            for percent in (50, 95, 99)
            if listed
        ]

    return [
        *rows("word first shown", (word.first_shown_latency_ms for word in words), share),
        *rows("word stable", (word.stable_latency_ms for word in words), share),
        *rows("word final", (word.final_latency_ms for word in words), share),
        *rows("end of turn", outcome.latencies_ms, found),
        *rows("raw final to formatted final", formatting_latencies_ms(log.turns), found),
        Figure("latency", f"{who}churn", still.churn_percent, "%", audio, None, "of words shown, not final"),
        Figure("latency", f"{who}last finals", errors.percent, "% WER", audio),
    ]
