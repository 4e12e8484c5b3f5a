"""What the checks found. PURE: standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    NOTED = "noted"
    """Works, but some client may not like it, or it isn't as the hosted service does it."""
    FAILED = "failed"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. `advice` says what to do; it is empty where nothing is to be done."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


def passed(check: str, text: str) -> Finding:
    return Finding(check, Verdict.PASSED, text)


def noted(check: str, text: str, advice: str) -> Finding:
    return Finding(check, Verdict.NOTED, text, advice)


def failed(check: str, text: str, advice: str) -> Finding:
    return Finding(check, Verdict.FAILED, text, advice)


def left_out(check: str, why: str, advice: str = "") -> Finding:
    return Finding(check, Verdict.LEFT_OUT, why, advice)


@dataclass(frozen=True, slots=True)
class Latency:
    """Delays of one kind, in ms."""

    name: str
    count: int
    p50_ms: float
    p95_ms: float


@dataclass(slots=True)
class Report:
    """Everything about one address."""

    address: str
    protocol: str
    findings: list[Finding] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    is_reachable: bool = True

    def count(self, verdict: Verdict) -> int:
        return sum(finding.verdict is verdict for finding in self.findings)

    @property
    def is_good(self) -> bool:
        """No check failed; notes and checks left out don't count."""
        return self.count(Verdict.FAILED) == 0
