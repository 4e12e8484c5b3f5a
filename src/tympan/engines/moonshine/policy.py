"""Which words of a stream of decodes become final, and when. PURE: standard library only.

Decodes are not conditioned on final words. Each is aligned with them, and what follows is the tentative
remainder. From its first word on, words become final while each

- is complete: another word follows it, or punctuation, or end of text;
- satisfies a commit rule: the remainder up to it has read the same for some time, and the word's score
  (`commit_score`) or its age allows that time. Good words wait shortly, doubtful ones longer.

A final word never changes: not its text, not its times. The words of a turn start in order. Use one policy per
stream, from one thread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from tympan.engines.moonshine.align import continuation
from tympan.engines.moonshine.commit_score import LONGEST_STABLE_MS, ScoreWeights, score
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord


class CommitPolicy(Protocol):
    """Takes the decodes of a turn in order of time; says which words are final."""

    @property
    def final(self) -> tuple[DecodedWord, ...]:
        """Final words of the open turn, those before the window included. Only ever appended to."""

    @property
    def tentative(self) -> tuple[DecodedWord, ...]:
        """What the last decode says after the final words."""

    def receive(self, decode: Decode) -> tuple[DecodedWord, ...]:
        """A decode while somebody speaks. Returns the words that became final, often none."""

    def flush(self, decode: Decode) -> tuple[DecodedWord, ...]:
        """A decode at a pause or at the end of the turn: all its words after the final ones become final."""

    def trim(self, before_ms: int) -> None:
        """The window now begins there: final words that start before it are not expected in decodes."""

    def reset(self) -> None:
        """Forget everything: a new turn."""


ONE_UPDATE_MS = 1
"""A span that the previous decode satisfies, however long ago it was."""


@dataclass(frozen=True, slots=True)
class CommitRule:
    """A complete word may become final when the remainder up to it has read the same for `span_ms` ...

    (since the newest decode that is at least as old), its score is at least `min_logit` and it ended at least
    `min_age_ms` ago.
    """

    span_ms: int
    min_logit: float = -math.inf
    min_age_ms: float = -math.inf


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """The numbers of `ScoredAgreement`; `bench/policy_sweep.py` compares sets of them on recorded decodes.

    A word needs to satisfy one of the `rules`. Nothing becomes final while the window holds less than
    `earliest_ms`: what is decoded from less is wild. With `is_unbroken` a remainder must have read the same
    in every decode of a span, else at its far end only. `weights` are those of the score.

    The defaults come from such a sweep with a decode every 256 ms (319 clips, 1,690 s): word error rate 1.6
    points over offline, p50 0.55 s and p95 1.22 s from the end of a word to its commit. Moving one threshold by
    up to half a logit moved the error rate by less than 0.2 points.
    """

    rules: tuple[CommitRule, ...] = (
        CommitRule(250, min_logit=3.3),
        CommitRule(500, min_logit=2.6),
        CommitRule(750, min_logit=0.5),
        CommitRule(ONE_UPDATE_MS, min_logit=-0.5, min_age_ms=1000),
        CommitRule(ONE_UPDATE_MS, min_age_ms=1500),
    )
    earliest_ms: int = 1200
    is_unbroken: bool = True
    weights: ScoreWeights = field(default_factory=ScoreWeights)


class ScoredAgreement:
    """Agreement over a span that depends on a score. The default policy."""

    def __init__(self, config: PolicyConfig | None = None) -> None:
        self._config = config or PolicyConfig()
        self._final: list[DecodedWord] = []
        self._tentative: tuple[DecodedWord, ...] = ()
        self._history: list[Decode] = []
        self._first_expected = 0
        self._kept_ms = max([LONGEST_STABLE_MS, *(rule.span_ms for rule in self._config.rules)])

    @property
    def final(self) -> tuple[DecodedWord, ...]:
        return tuple(self._final)

    @property
    def tentative(self) -> tuple[DecodedWord, ...]:
        return self._tentative

    def receive(self, decode: Decode) -> tuple[DecodedWord, ...]:
        expected = self._expected()
        begin = continuation(expected, decode.words)
        count = self._committable(decode, begin, expected)
        return self._take(decode, begin, count)

    def flush(self, decode: Decode) -> tuple[DecodedWord, ...]:
        begin = continuation(self._expected(), decode.words)
        return self._take(decode, begin, len(decode.words) - begin)

    def trim(self, before_ms: int) -> None:
        # By what they say, not by when: a word's time as it became final may be off by more than the cut's lead.
        left_behind = [word for word in self._latest_words() if word.start_ms < before_ms]
        self._first_expected += continuation(left_behind, self._expected())
        self._history = [_without(decode, before_ms) for decode in self._history]

    def reset(self) -> None:
        self._final, self._tentative, self._history, self._first_expected = [], (), [], 0

    def _expected(self) -> Sequence[DecodedWord]:
        """Final words that the window still holds."""
        return self._final[self._first_expected :]

    def _latest_words(self) -> Sequence[DecodedWord]:
        return self._history[-1].words if self._history else ()

    def _take(self, decode: Decode, begin: int, count: int) -> tuple[DecodedWord, ...]:
        rest = tuple(_in_order(self._final[-1:], decode.words[begin:]))
        self._final += rest[:count]
        self._tentative = rest[count:]
        self._remember(decode)
        return rest[:count]

    def _remember(self, decode: Decode) -> None:
        """Keep decodes as far back as any horizon reaches, and the last one before."""
        self._history.append(decode)
        oldest_ms = decode.judged_until_ms - self._kept_ms
        while len(self._history) > 1 and self._history[1].judged_until_ms <= oldest_ms:
            del self._history[0]

    def _committable(self, decode: Decode, begin: int, expected: Sequence[DecodedWord]) -> int:
        """How many words from `begin` on may become final."""
        if decode.judged_until_ms - decode.window_start_ms < self._config.earliest_ms:
            return 0
        agreements = self._agreements(decode, begin, expected)
        agreed = [(rule, _agreed_for(rule.span_ms, agreements)) for rule in self._config.rules]
        count = 0
        for index in range(begin, _complete_count(decode)):
            open_rules = [rule for rule, agreed_count in agreed if count < agreed_count]
            if not open_rules or not self._allows(open_rules, decode, index):
                break
            count += 1
        return count

    def _allows(self, rules: Sequence[CommitRule], decode: Decode, index: int) -> bool:
        age_ms = decode.judged_until_ms - decode.words[index].end_ms
        logit = score(self._config.weights, decode, index, self._history)
        return any(logit >= rule.min_logit and age_ms >= rule.min_age_ms for rule in rules)

    def _agreements(self, decode: Decode, begin: int, expected: Sequence[DecodedWord]) -> list[tuple[int, int]]:
        """For each earlier decode, newest first: its age in ms, and how many words from `begin` on agree."""
        now, count = decode.words[begin:], len(decode.words) - begin
        agreements: list[tuple[int, int]] = []
        for earlier in reversed(self._history):
            then = earlier.words[continuation(expected, earlier.words) :]
            same = _same_count(now, then)
            count = min(count, same) if self._config.is_unbroken else same
            agreements.append((decode.judged_until_ms - earlier.judged_until_ms, count))
        return agreements


def _agreed_for(span_ms: int, agreements: Sequence[tuple[int, int]]) -> int:
    return next((count for age_ms, count in agreements if age_ms >= span_ms), 0)


def _same_count(now: Sequence[DecodedWord], then: Sequence[DecodedWord]) -> int:
    pairs = enumerate(zip(now, then, strict=False))
    return next((index for index, (a, b) in pairs if a.key != b.key), min(len(now), len(then)))


def _complete_count(decode: Decode) -> int:
    """Words that more text can't lengthen: all but the last, and that too when something closes it."""
    words = decode.words
    is_last_complete = bool(words) and (words[-1].is_closed or decode.has_ended)
    return len(words) - (not is_last_complete) if words else 0


def _in_order(before: Sequence[DecodedWord], words: Iterable[DecodedWord]) -> Iterable[DecodedWord]:
    """The words with their times moved, where needed, so that none begins before the one before it.

    Ends may overlap the next start a little: a final word's end can't follow what is heard later.
    """
    earliest_ms = before[-1].start_ms if before else None
    for word in words:
        start_ms = word.start_ms if earliest_ms is None else max(word.start_ms, earliest_ms)
        earliest_ms = start_ms
        yield replace(word, start_ms=start_ms, end_ms=max(word.end_ms, start_ms))


def _without(decode: Decode, before_ms: int) -> Decode:
    return replace(decode, words=tuple(word for word in decode.words if word.start_ms >= before_ms))
