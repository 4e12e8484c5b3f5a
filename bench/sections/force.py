"""ForceEndpoint to final: forces in mid-speech, at real time."""

from __future__ import annotations

from bench.context import Context, Job, lag_note
from bench.conversation import Control
from bench.dataset import composite, spread
from bench.metrics import percentile
from bench.report import Figure, Target, at_most
from bench.turn_metrics import force_latencies_ms

_FULL_MS = 150_000
_QUICK_MS = 40_000
_EVERY_MS = 4_000


def run(context: Context) -> list[Figure]:
    chosen = context.dataset.aligned or context.dataset.utterances
    joined = composite(spread(chosen, _QUICK_MS if context.is_quick else _FULL_MS), gap_ms=300)
    controls = _controls([word.end_ms for word in joined.words], round(joined.duration_s * 1000))
    with context.server() as server:
        log = context.hold(server, Job(joined.samples, controls=controls))
    latencies = force_latencies_ms(log)
    audio = f"{len(controls)} forces in {joined.duration_s / 60:.1f} min, real time"
    note = "; ".join(filter(None, [f"{len(latencies)} of {len(controls)} answered", lag_note([log])]))

    def row(percent: int, target: Target | None) -> Figure:
        value = percentile(latencies, percent)
        return Figure("force", f"ForceEndpoint to final p{percent}", value, "ms", audio, target, note)

    return [row(50, at_most(60)), row(95, None)]


def _controls(word_ends_ms: list[int], duration_ms: int) -> tuple[Control, ...]:
    """One force every few seconds, 200 ms after a word's end where words are known."""
    times = list(range(_EVERY_MS, duration_ms, _EVERY_MS))
    if word_ends_ms:
        times = [min(word_ends_ms, key=lambda end_ms: abs(end_ms - at)) + 200 for at in times]
    return tuple(Control(at, {"type": "ForceEndpoint"}) for at in sorted(set(times)))
