"""What may end a turn, and the comparison of silence timeouts with confidences. PURE.

A fixed timeout is compared with every confidence setting that asks for no more silence than it and waits
for at least as long at most. It is beaten when one of them is as soon, ends fewer turns prematurely (or
neither ends any so), and finds as many true turns. As soon by the median is easier than by p95 too: where a
confidence waits, it waits for longer than the timeout does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.metrics import percentile
from bench.turn_metrics import TurnOutcome
from tympan.core.config import TurnConfig
from tympan.wire.v3.modes import MODES, turn_config


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """When turns end."""

    name: str
    config: TurnConfig

    @property
    def is_timeout(self) -> bool:
        return self.config.confidence_threshold >= 1


@dataclass(frozen=True, slots=True)
class Duel:
    """A timeout and the best confidence that is at least as soon; None when none is."""

    timeout: TurnPolicy
    confidence: TurnPolicy | None
    is_beaten: bool


def threshold_policy(threshold: float) -> TurnPolicy:
    """The curve over the threshold; all else is default."""
    return TurnPolicy(f"confidence {threshold}", TurnConfig(confidence_threshold=threshold))


def silence_policy(threshold: float, min_silence_ms: int, max_silence_ms: int) -> TurnPolicy:
    """A point of the grid over threshold and least silence."""
    name = f"confidence {threshold}, {min_silence_ms}–{max_silence_ms} ms"
    return TurnPolicy(name, TurnConfig(threshold, min_silence_ms, max_silence_ms))


def timeout_policy(timeout_ms: int) -> TurnPolicy:
    """Threshold 1 leaves the longest silence alone to decide."""
    return TurnPolicy(f"timeout {timeout_ms} ms", TurnConfig(1.0, timeout_ms, timeout_ms))


def mode_policy(name: str) -> TurnPolicy:
    """A mode of the U3 profile."""
    return TurnPolicy(f"U3 {name}", turn_config(MODES[name]))


def duel(timeout: TurnPolicy, outcomes: Mapping[TurnPolicy, TurnOutcome], *, percents: Sequence[int]) -> Duel:
    """The best of the confidences that are as soon at all those percentiles: it beats the timeout or comes closest."""
    theirs = outcomes[timeout]
    length_ms = timeout.config.longest_silence_ms
    comparable = [
        policy
        for policy, outcome in outcomes.items()
        if not policy.is_timeout
        and policy.config.min_silence_ms <= length_ms <= policy.config.longest_silence_ms
        and all(percentile(outcome.latencies_ms, p) <= percentile(theirs.latencies_ms, p) for p in percents)
    ]
    best = min(comparable, key=lambda policy: _rank(outcomes[policy], theirs), default=None)
    return Duel(timeout, best, best is not None and is_beaten(theirs, outcomes[best]))


def is_beaten(timeout: TurnOutcome, confidence: TurnOutcome) -> bool:
    """Whether the confidence is better in both counts, at the latency that `duel` has compared."""
    is_surer = confidence.premature < timeout.premature or confidence.premature == timeout.premature == 0
    return is_surer and confidence.found >= timeout.found


def duels(outcomes: Mapping[TurnPolicy, TurnOutcome], *, percents: Sequence[int]) -> Sequence[Duel]:
    """One for each timeout."""
    return [duel(policy, outcomes, percents=percents) for policy in outcomes if policy.is_timeout]


def _rank(outcome: TurnOutcome, timeout: TurnOutcome) -> tuple[bool, int, float]:
    """Lowest is best: turns found first, then premature ends, then the tail of the latency."""
    return outcome.found < timeout.found, outcome.premature, percentile(outcome.latencies_ms, 95)
