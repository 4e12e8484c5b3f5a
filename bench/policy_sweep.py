"""Replay commit policies over traces: what immutable words cost, and how soon they come.

Run: python -m bench.policy_sweep TRACES.jsonl [--json OUT.json]

Error rates follow the Whisper English normaliser, micro-averaged; "offline" is the last decode of each
clip, which has heard all of it. Latency is on the audio clock, from the end of a word by forced alignment
to the update that made it final (or first showed it): compute and network come on top. Intervals are 95 %
of 2,000 bootstrap samples of clips, for the difference to the first row.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from statistics import quantiles

from bench.scoring import WordErrors, equal_pairs, total, word_errors, word_key
from bench.traces import Trace, read_traces
from tympan.engines.moonshine.hypothesis import DecodedWord
from tympan.engines.moonshine.policy import (
    ONE_UPDATE_MS,
    CommitPolicy,
    CommitRule,
    PolicyConfig,
    ScoredAgreement,
)

NEVER_MS = 10**9


@dataclass(frozen=True, slots=True)
class Row:
    """A policy under test and the silence after which the engine flushes it."""

    name: str
    policy: PolicyConfig
    flush_at_ms: int = 384


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """What a policy did with one clip. Latencies in ms, of the reference words it got right."""

    errors: WordErrors
    offline: WordErrors
    final_ms: tuple[int, ...]
    shown_ms: tuple[int, ...]
    shown_first_only_ms: tuple[int, ...]
    erased_words: int
    final_words: int


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the frontier. Rates in per cent, latencies in seconds."""

    name: str
    wer: float
    over_offline: float
    difference: float
    difference_low: float
    difference_high: float
    final_p50_s: float
    final_p90_s: float
    final_p95_s: float
    final_p99_s: float
    shown_p50_s: float
    shown_p95_s: float
    shown_first_only_p50_s: float
    shown_first_only_p95_s: float
    erased_per_word: float


def rules(*some: CommitRule, is_unbroken: bool = True) -> PolicyConfig:
    return PolicyConfig(some, is_unbroken=is_unbroken)


FIRST_STUDY = rules(
    CommitRule(500, min_logit=1.386),
    CommitRule(1000),
    CommitRule(ONE_UPDATE_MS, min_age_ms=1000),
    is_unbroken=False,
)
DEFAULT = PolicyConfig()
ROWS = (
    Row("first study's rule", FIRST_STUDY),
    Row("agreement over 0.5 s", rules(CommitRule(500))),
    Row("agreement over 0.75 s", rules(CommitRule(750))),
    Row("agreement over 1.0 s", rules(CommitRule(1000))),
    Row("default, broken agreement too", rules(*DEFAULT.rules, is_unbroken=False)),
    Row("**default**", DEFAULT),
    Row("default, flush at 192 ms", DEFAULT, 192),
    Row("default, flush at 256 ms", DEFAULT, 256),
    Row("default, flush at 320 ms", DEFAULT, 320),
    Row("default, flush at 512 ms", DEFAULT, 512),
    Row("default, flush at the end only", DEFAULT, NEVER_MS),
    Row("final at the end only", rules(), NEVER_MS),
)


class Replay:
    """Feeds a trace to a policy as the engine would, and notes when words appear."""

    def __init__(self, policy: CommitPolicy) -> None:
        self._policy = policy
        self._shown: list[str] = []
        self._first_shown: tuple[dict[tuple[int, str], int], ...] = ({}, {})
        self.finals: list[tuple[DecodedWord, int]] = []
        self.erased_words = 0

    def run(self, trace: Trace, flush_at_ms: int) -> None:
        is_flushed = False
        for update in trace.updates[:-1]:
            now_ms, is_silent = update.decode.judged_until_ms, update.silence_ms >= flush_at_ms
            if is_silent and not is_flushed and self.has_words:
                self._note(self._policy.flush(update.decode), now_ms)
            elif update.is_step and not is_silent:
                self._note(self._policy.receive(update.decode), now_ms)
            is_flushed = is_silent and self.has_words
        last = trace.updates[-1].decode
        self._note(self._policy.flush(last), last.judged_until_ms)

    @property
    def has_words(self) -> bool:
        return bool(self._policy.final or self._policy.tentative)

    def first_shown_ms(self, *, only_first_tentative: bool) -> list[int]:
        """For each final word: when it stood at its place for the first time."""
        seen = self._first_shown[only_first_tentative]
        return [min(at, seen.get((i, word.key), at)) for i, (word, at) in enumerate(self.finals)]

    def _note(self, became_final: Sequence[DecodedWord], now_ms: int) -> None:
        self.finals += [(word, now_ms) for word in became_final]
        final, tentative = self._policy.final, self._policy.tentative
        shown = [word.key for word in (*final, *tentative)]
        kept = next((i for i, (a, b) in enumerate(zip(shown, self._shown, strict=False)) if a != b), len(shown))
        self.erased_words += max(0, len(self._shown) - kept)
        self._shown = shown
        for seen, count in zip(self._first_shown, (len(shown), len(final) + 1), strict=True):
            for place in enumerate(shown[:count]):
                seen.setdefault(place, now_ms)


def judge(trace: Trace, row: Row) -> ClipOutcome:
    """Replay one clip and compare with its reference."""
    replay = Replay(ScoredAgreement(row.policy))
    replay.run(trace, row.flush_at_ms)
    finals = [word for word, _ in replay.finals]
    times = [at for _, at in replay.finals]
    keys = [word_key(word.text) for word in trace.words]
    pairs = equal_pairs(keys, [word_key(word.text) for word in finals])

    def late(at: Sequence[int]) -> tuple[int, ...]:
        return tuple(at[mine] - trace.words[theirs].end_ms for theirs, mine in pairs.items())

    return ClipOutcome(
        errors=scored(trace, finals),
        offline=scored(trace, trace.updates[-1].decode.words),
        final_ms=late(times),
        shown_ms=late(replay.first_shown_ms(only_first_tentative=False)),
        shown_first_only_ms=late(replay.first_shown_ms(only_first_tentative=True)),
        erased_words=replay.erased_words,
        final_words=len(finals),
    )


def summarise(row: Row, outcomes: Sequence[ClipOutcome], baseline: Sequence[ClipOutcome]) -> Result:
    """Pool the clips. Clips are the unit of the bootstrap: errors within one hang together."""
    clips = list(zip(outcomes, baseline, strict=True))
    low, high = interval(clips, difference)
    wer = total(a.errors for a in outcomes).percent
    final = percentiles(ms for a in outcomes for ms in a.final_ms)
    shown = percentiles(ms for a in outcomes for ms in a.shown_ms)
    first_only = percentiles(ms for a in outcomes for ms in a.shown_first_only_ms)
    return Result(
        name=row.name,
        wer=wer,
        over_offline=wer - total(a.offline for a in outcomes).percent,
        difference=difference(clips),
        difference_low=low,
        difference_high=high,
        final_p50_s=final[49],
        final_p90_s=final[89],
        final_p95_s=final[94],
        final_p99_s=final[98],
        shown_p50_s=shown[49],
        shown_p95_s=shown[94],
        shown_first_only_p50_s=first_only[49],
        shown_first_only_p95_s=first_only[94],
        erased_per_word=sum(a.erased_words for a in outcomes) / sum(a.final_words for a in outcomes),
    )


Pairs = list[tuple[ClipOutcome, ClipOutcome]]


def interval(clips: Pairs, statistic: Callable[[Pairs], float], samples: int = 2000) -> tuple[float, float]:
    """95 % interval by resampling clips; always the same draws."""
    draw = random.Random(1)
    values = sorted(statistic(draw.choices(clips, k=len(clips))) for _ in range(samples))
    return values[samples * 25 // 1000], values[samples * 975 // 1000]


def difference(clips: Pairs) -> float:
    """Error rate of the first of each pair minus that of the second, in points."""
    return total(a.errors for a, _ in clips).percent - total(b.errors for _, b in clips).percent


def percentiles(values_ms: Iterable[int]) -> list[float]:
    return [value / 1000 for value in quantiles(values_ms, n=100, method="inclusive")]


def scored(trace: Trace, words: Sequence[DecodedWord]) -> WordErrors:
    return _word_errors(trace.text, " ".join(word.text.strip() for word in words), trace.style == "digits")


@cache
def _word_errors(reference: str, hypothesis: str, is_digits: bool) -> WordErrors:
    return word_errors(reference, hypothesis, is_digits=is_digits)


def table(results: Sequence[Result]) -> str:
    """The frontier as Markdown."""
    lines = [
        "| policy | WER % | over offline | to first row (95 %) | final p50/p90/p95/p99 s "
        "| shown p50/p95 s | first tentative only p50/p95 s | erased a word |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {r.name} | {r.wer:.2f} | {r.over_offline:+.2f} "
        f"| {r.difference:+.2f} ({r.difference_low:+.2f} to {r.difference_high:+.2f}) "
        f"| {r.final_p50_s:.2f}/{r.final_p90_s:.2f}/{r.final_p95_s:.2f}/{r.final_p99_s:.2f} "
        f"| {r.shown_p50_s:.2f}/{r.shown_p95_s:.2f} "
        f"| {r.shown_first_only_p50_s:.2f}/{r.shown_first_only_p95_s:.2f} | {r.erased_per_word:.2f} |"
        for r in results
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--json", type=Path, help="write the results there too")
    arguments = parser.parse_args()
    traces = list(read_traces(arguments.traces))
    outcomes = [[judge(trace, row) for trace in traces] for row in ROWS]
    results = [summarise(row, some, outcomes[0]) for row, some in zip(ROWS, outcomes, strict=True)]
    print(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
