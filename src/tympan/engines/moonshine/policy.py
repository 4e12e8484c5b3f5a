"""Which words of a stream of decodes become final, and when. PURE: standard library only.

Decodes are not conditioned on final words. Each is aligned with them, and what follows is the tentative
remainder. From its first word on, words become final while these hold:

- the word is complete: another follows it, or punctuation, or end of text;
- the remainder up to it read the same some time ago. How long ago is a matter of confidence: 0.5 s for a
  word with a good score (`commit_score`), 1.0 s for any word, one update for a word that ended long ago.

A final word never changes: not its text, not its times. The words of a turn never overlap and start in
order. Use one policy per stream, from one thread.
"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """The numbers of `ScoredAgreement`; `bench/policy_sweep.py` compares sets of them on recorded decodes."""

    sure_logit: float = 1.386
    """A word with at least this score is sure: 1.386 is a chance of 0.8."""
    sure_horizon_ms: int = 500
    doubtful_horizon_ms: int = 1000
    late_age_ms: int = 1000
    """A word that ended this long ago needs the agreement of the previous decode only."""
    earliest_ms: int = 700
    """No commit before the window holds this much: what is decoded from less is wild."""
    weights: ScoreWeights = field(default_factory=ScoreWeights)


class ScoredAgreement:
    """Agreement over a span that depends on a score. The default policy."""

    def __init__(self, config: PolicyConfig | None = None) -> None:
        self._config = config or PolicyConfig()
        self._final: list[DecodedWord] = []
        self._tentative: tuple[DecodedWord, ...] = ()
        self._history: list[Decode] = []
        self._window_ms: int | None = None
        self._kept_ms = max(self._config.doubtful_horizon_ms, self._config.sure_horizon_ms, LONGEST_STABLE_MS)

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
        self._window_ms = before_ms
        self._history = [_without(decode, before_ms) for decode in self._history]

    def reset(self) -> None:
        self._final, self._tentative, self._history, self._window_ms = [], (), [], None

    def _expected(self) -> Sequence[DecodedWord]:
        """Final words that the window still holds."""
        if self._window_ms is None:
            return self._final
        return [word for word in self._final if word.start_ms >= self._window_ms]

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
        config, now_ms = self._config, decode.judged_until_ms
        if not self._history or now_ms - decode.window_start_ms < config.earliest_ms:
            return 0
        sure_count = self._agreed(decode, begin, expected, now_ms - config.sure_horizon_ms)
        doubtful_count = self._agreed(decode, begin, expected, now_ms - config.doubtful_horizon_ms)
        late_count = self._agreed(decode, begin, expected, self._history[-1].judged_until_ms)
        count = 0
        for index in range(begin, _complete_count(decode)):
            is_ready = (
                count < doubtful_count
                or (count < late_count and now_ms - decode.words[index].end_ms >= config.late_age_ms)
                or (count < sure_count and self._is_sure(decode, index))
            )
            if not is_ready:
                break
            count += 1
        return count

    def _is_sure(self, decode: Decode, index: int) -> bool:
        return score(self._config.weights, decode, index, self._history) >= self._config.sure_logit

    def _agreed(self, decode: Decode, begin: int, expected: Sequence[DecodedWord], until_ms: int) -> int:
        """How many words from `begin` on read the same in the newest decode up to `until_ms`."""
        earlier = next((old for old in reversed(self._history) if old.judged_until_ms <= until_ms), None)
        if earlier is None:
            return 0
        now, then = decode.words[begin:], earlier.words[continuation(expected, earlier.words) :]
        count = 0
        while count < min(len(now), len(then)) and now[count].key == then[count].key:
            count += 1
        return count


def _complete_count(decode: Decode) -> int:
    """Words that more text can't lengthen: all but the last, and that too when something closes it."""
    words = decode.words
    is_last_complete = bool(words) and (words[-1].is_closed or decode.has_ended)
    return len(words) - (not is_last_complete) if words else 0


def _in_order(before: Sequence[DecodedWord], words: Iterable[DecodedWord]) -> Iterable[DecodedWord]:
    """The words with their times moved, where needed, so that none begins before the one before it ends."""
    earliest_ms = before[-1].end_ms if before else None
    for word in words:
        start_ms = word.start_ms if earliest_ms is None else max(word.start_ms, earliest_ms)
        earliest_ms = max(word.end_ms, start_ms)
        yield replace(word, start_ms=start_ms, end_ms=earliest_ms)


def _without(decode: Decode, before_ms: int) -> Decode:
    return replace(decode, words=tuple(word for word in decode.words if word.start_ms >= before_ms))
