"""Replay commit policies over traces: what immutable words cost, and how soon they come. PURE but for numpy.

Rows replay with the flushes and trims that the engine made, so the default's row is what the engine did.
Latency is on the audio clock, from the true end of a word to the update that made it final, or first showed
it: computing and sending come on top. Intervals are 95 % of bootstrap samples of utterances, since errors
within one hang together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.metrics import percentile
from bench.scoring import WordErrors, equal_pairs, total, word_errors, word_key
from bench.traces import FinalWord, Flushed, Received, Trace, Trimmed, TurnTrace
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.policy import (
    ONE_UPDATE_MS,
    CommitPolicy,
    CommitRule,
    PolicyConfig,
    ScoredAgreement,
)

_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """A policy under test. Without `flushes_pauses`, words wait for their rules or for the end of the turn."""

    policy: PolicyConfig
    flushes_pauses: bool = True


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """What a policy did with one utterance. Latencies in ms, of the reference words it got right."""

    errors: WordErrors
    final_ms: tuple[int, ...]
    shown_ms: tuple[int, ...]


def _rules(*some: CommitRule, is_unbroken: bool = True) -> PolicyConfig:
    return PolicyConfig(some, is_unbroken=is_unbroken)


def _stricter(logits: float) -> PolicyConfig:
    """The default with every score threshold moved."""
    return replace(
        PolicyConfig(),
        rules=tuple(replace(rule, min_logit=rule.min_logit + logits) for rule in PolicyConfig().rules),
    )


DEFAULT = "default"
ROWS: Mapping[str, Row] = {
    "agreement over 0.25 s": Row(_rules(CommitRule(250))),
    "agreement over 0.5 s": Row(_rules(CommitRule(500))),
    "agreement over 0.75 s": Row(_rules(CommitRule(750))),
    "agreement over 1.0 s": Row(_rules(CommitRule(1000))),
    "first study's rule": Row(
        _rules(
            CommitRule(500, min_logit=1.386),
            CommitRule(1000),
            CommitRule(ONE_UPDATE_MS, min_age_ms=1000),
            is_unbroken=False,
        )
    ),
    "default, scores 1.5 lower": Row(_stricter(-1.5)),
    "default, scores 0.75 lower": Row(_stricter(-0.75)),
    DEFAULT: Row(PolicyConfig()),
    "default, scores 0.75 higher": Row(_stricter(0.75)),
    "default, scores 1.5 higher": Row(_stricter(1.5)),
    "default, broken agreement too": Row(replace(PolicyConfig(), is_unbroken=False)),
    "default, pauses not flushed": Row(PolicyConfig(), flushes_pauses=False),
    "final at the end of the turn": Row(_rules(), flushes_pauses=False),
}


class Replay:
    """Feeds traces of turns to a policy as the engine would, and notes when words appear."""

    def __init__(self, row: Row) -> None:
        self._policy: CommitPolicy = ScoredAgreement(row.policy)
        self._flushes_pauses = row.flushes_pauses
        self._shown_at: dict[tuple[int, str], int] = {}
        self._turn: list[FinalWord] = []
        self.finals: list[FinalWord] = []
        self.shown_ms: list[int] = []
        """For each final word, when it stood at its place for the first time."""

    def run(self, turn: TurnTrace) -> None:
        flushes = [step for step in turn.steps if isinstance(step, Flushed)]
        latest = Decode(0, 0, (), has_ended=False, was_cut=False)
        for step in turn.steps:
            match step:
                case Received():
                    latest = step.decode
                    self._note(self._policy.receive(latest), latest.judged_until_ms)
                case Flushed() if self._flushes_pauses:
                    latest = step.decode
                    self._note(self._policy.flush(latest), latest.judged_until_ms)
                case Trimmed():
                    self._trim(latest, step)
                case _:
                    latest = step.decode
        if flushes and not self._flushes_pauses:
            self._note(self._policy.flush(flushes[-1].decode), turn.ended_at_ms)
        self._close(turn.is_told)

    def _trim(self, latest: Decode, trim: Trimmed) -> None:
        """Words that the engine held for final when it moved its window: a slower policy must take them now."""

        def is_left_behind(word: DecodedWord) -> bool:
            return word.start_ms < trim.before_ms and word.end_ms <= trim.final_until_ms

        if any(is_left_behind(word) for word in self._policy.tentative):
            words = tuple(word for word in latest.words if is_left_behind(word))
            self._note(self._policy.flush(replace(latest, words=words)), latest.judged_until_ms)
        self._policy.trim(trim.before_ms)

    def _note(self, became_final: Sequence[DecodedWord], now_ms: int) -> None:
        self._turn += [FinalWord(word.text, word.start_ms, word.end_ms, now_ms) for word in became_final]
        for place in enumerate(word.key for word in (*self._policy.final, *self._policy.tentative)):
            self._shown_at.setdefault(place, now_ms)

    def _close(self, is_told: bool) -> None:
        if is_told:
            keys = [word.key for word in self._policy.final]
            self.finals += self._turn
            self.shown_ms += [self._shown_at[place] for place in enumerate(keys)]
        self._turn, self._shown_at = [], {}
        self._policy.reset()


def replayed(trace: Trace, row: Row) -> Replay:
    """A whole session."""
    replay = Replay(row)
    for turn in trace.turns:
        replay.run(turn)
    return replay


def judge(trace: Trace, row: Row) -> ClipOutcome:
    """Replay one utterance and compare with its reference."""
    replay, utterance = replayed(trace, row), trace.utterance
    text = " ".join(word.text for word in replay.finals)
    heard = [word_key(word.text) for word in replay.finals]
    pairs = equal_pairs([word_key(word.text) for word in utterance.words], heard)
    return ClipOutcome(
        errors=word_errors(utterance.text, text, is_digits=utterance.is_digits),
        final_ms=tuple(replay.finals[mine].at_ms - utterance.words[theirs].end_ms for theirs, mine in pairs.items()),
        shown_ms=tuple(replay.shown_ms[mine] - utterance.words[theirs].end_ms for theirs, mine in pairs.items()),
    )


def measures(outcomes: Sequence[ClipOutcome], default: Sequence[ClipOutcome]) -> Iterator[tuple[str, float, str]]:
    """One row of the frontier: name, value and unit of each measure."""
    percent = total(outcome.errors for outcome in outcomes).percent
    low, high = interval([a.errors for a in outcomes], [b.errors for b in default])
    yield "immutable words", percent, "% WER"
    yield "to the default", percent - total(outcome.errors for outcome in default).percent, "points"
    yield "to the default, 95 % from", low, "points"
    yield "to the default, 95 % to", high, "points"
    final = [ms for outcome in outcomes for ms in outcome.final_ms]
    shown = [ms for outcome in outcomes for ms in outcome.shown_ms]
    if final:
        yield from ((f"word final p{at}", percentile(final, at), "ms") for at in (50, 90, 95))
        yield from ((f"word first shown p{at}", percentile(shown, at), "ms") for at in (50, 95))


def interval(some: Sequence[WordErrors], others: Sequence[WordErrors]) -> tuple[float, float]:
    """95 % interval of the difference of two error rates in points, by resampling utterances; same draws always."""
    draws = np.random.default_rng(1).integers(len(some), size=(_DRAWS, len(some)))
    errors = np.array([a.errors - b.errors for a, b in zip(some, others, strict=True)])
    words = np.array([a.words for a in some])
    values = 100 * errors[draws].sum(axis=1) / words[draws].sum(axis=1)
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
