"""CPU time of one stream of continuous speech at real time, ours and then the peer's on the same audio."""

from __future__ import annotations

from bench.context import Context, Job, lag_note
from bench.dataset import composite, spread
from bench.peers import run_peer
from bench.report import Figure, at_most

_FULL_MS = 120_000
_QUICK_MS = 30_000
_GAP_MS = 200


def run(context: Context) -> list[Figure]:
    chosen = context.dataset.aligned or context.dataset.utterances
    speech = composite(spread(chosen, _QUICK_MS if context.is_quick else _FULL_MS), gap_ms=_GAP_MS)
    audio = f"{speech.duration_s / 60:.1f} min of continuous speech, real time, one stream"
    with context.server() as server:
        before_s = server.cpu_s()
        log = context.hold(server, Job(speech.samples))
        ours = (server.cpu_s() - before_s) / speech.duration_s
    peer = run_peer(speech.samples).cpu_per_audio_s
    return [
        Figure("cost", "CPU per second of speech", ours, "s/s", audio, at_most(0.15), lag_note([log])),
        Figure("cost", "peer: CPU per second of speech", peer, "s/s", audio),
        Figure("cost", "CPU, peer ÷ ours", peer / ours, "×", audio),
    ]
