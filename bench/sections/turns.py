"""Ends of turns on recorded conversations: confidence thresholds against plain silence timeouts.

All policies hear the same recordings, as recorded (the next speaker's words follow in the same stream), at
real time, several sessions at once. A timeout is threshold 1 with one silence for minimum and maximum. A
threshold beats a timeout when it is as soon (p50), cuts fewer inner pauses, and finds as many true turns.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.context import Context, Job, SectionSkipped, lag_note
from bench.metrics import percentile
from bench.report import Figure, at_least, at_most
from bench.turn_metrics import TurnOutcome, judge_turns

_THRESHOLDS: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_TIMEOUTS_MS: tuple[int, ...] = (300, 500, 700, 900, 1100, 1300, 1500)
_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Policy:
    """When turns end, as session parameters."""

    name: str
    parameters: dict[str, str]
    is_timeout: bool


def threshold_policy(threshold: float) -> Policy:
    return Policy(f"confidence {threshold}", {"end_of_turn_confidence_threshold": str(threshold)}, is_timeout=False)


def timeout_policy(timeout_ms: int) -> Policy:
    silence = str(timeout_ms)
    parameters = {
        "end_of_turn_confidence_threshold": "1",
        "min_turn_silence": silence,
        "max_turn_silence": silence,
    }
    return Policy(f"timeout {timeout_ms} ms", parameters, is_timeout=True)


def run(context: Context) -> list[Figure]:
    recordings = context.dataset.recordings
    if not recordings:
        raise SectionSkipped("needs recorded conversations with true turns")
    thresholds, timeouts = _THRESHOLDS, _TIMEOUTS_MS
    if context.is_quick:
        recordings = (min(recordings, key=lambda recording: recording.duration_ms),)
        thresholds, timeouts = (0.4, 0.7), (500, 700)
    policies = [threshold_policy(t) for t in thresholds] + [timeout_policy(t) for t in timeouts]
    jobs = [Job(r.samples(), policy.parameters) for r in recordings for policy in policies]
    with context.server() as server:
        logs = context.hold_all(server, jobs, at_once=_AT_ONCE)
    outcomes: dict[Policy | str, TurnOutcome] = {}
    for index, log in enumerate(logs):
        recording, policy = recordings[index // len(policies)], policies[index % len(policies)]
        outcome = judge_turns(log, recording.turns)
        outcomes[policy.name] = outcomes[policy.name] + outcome if policy.name in outcomes else outcome
    minutes = sum(recording.duration_ms for recording in recordings) / 60_000
    audio = f"{len(recordings)} conversations, {minutes:.1f} min, real time, {_AT_ONCE} sessions at once"
    note = lag_note(logs)
    figures: list[Figure] = []
    for policy in policies:
        figures += _figures(policy.name, outcomes[policy.name], audio, note)
    confident = [outcomes[p.name] for p in policies if not p.is_timeout]
    plain = {p.name: outcomes[p.name] for p in policies if p.is_timeout}
    beaten = [name for name, outcome in plain.items() if is_beaten(outcome, confident)]
    figures.append(
        Figure(
            "turns",
            "timeouts beaten by a confidence",
            len(beaten),
            f"of {len(plain)}",
            audio,
            at_least(len(plain)),
            "as soon (p50), fewer pauses cut, as many turns found; beaten: " + (", ".join(beaten) or "none"),
        )
    )
    return figures


def is_beaten(timeout: TurnOutcome, confident: list[TurnOutcome]) -> bool:
    """Some threshold is as soon, cuts fewer pauses (or none as well), and finds as many turns."""
    p50_ms = percentile(timeout.latencies_ms, 50)
    return any(
        percentile(outcome.latencies_ms, 50) <= p50_ms
        and (outcome.cuts < timeout.cuts or outcome.cuts == timeout.cuts == 0)
        and len(outcome.latencies_ms) >= len(timeout.latencies_ms)
        for outcome in confident
    )


def _figures(name: str, outcome: TurnOutcome, audio: str, note: str) -> list[Figure]:
    found = 100 * len(outcome.latencies_ms) / outcome.turns
    cut = 100 * outcome.cuts / max(1, outcome.inner_pauses)
    counts = (
        f"hesitations cut {outcome.hesitation_cuts} of {outcome.hesitations}, natural pauses 0.3–0.7 s "
        f"{outcome.pause_cuts} of {outcome.pauses}, longer {outcome.long_pause_cuts}, "
        f"between words {outcome.word_gap_cuts}"
    )
    is_default = name == "confidence 0.4"
    hesitations = 100 * outcome.hesitation_cuts / max(1, outcome.hesitations)
    return [
        Figure("turns", f"{name}: true turns found", found, "%", audio, None, note),
        Figure("turns", f"{name}: hesitations cut", hesitations, "%", audio),
        Figure("turns", f"{name}: inner pauses cut", cut, "%", audio, at_most(17) if is_default else None, counts),
        Figure(
            "turns",
            f"{name}: end of turn p50",
            percentile(outcome.latencies_ms, 50),
            "ms",
            audio,
            at_most(500) if is_default else None,
        ),
        Figure("turns", f"{name}: end of turn p95", percentile(outcome.latencies_ms, 95), "ms", audio),
    ]
