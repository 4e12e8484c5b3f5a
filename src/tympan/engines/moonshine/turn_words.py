"""TurnWords: the open turn's words, from decodes of a moving window. PURE: standard library only.

Two readings of the same turn are kept. The commit policy's words are immutable once final. The words of the
latest decode are the best reading; where the window moves on, those it leaves behind are settled. Under
`Finality.TURN` the best reading alone is told; the policy's words only say where a long window may be cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tympan.core.config import Finality, FormattedSource
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, TurnText, Word
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.policy import CommitPolicy

LONG_WINDOW_MS = 12_000
"""From here on the window is cut behind a final sentence (engine findings: 20 s is as good, but dearer)."""

LONGEST_WINDOW_MS = 18_000
"""Here it is cut behind any final word; single windows go wild from 30 s."""

KEPT_WINDOW_MS = 6_000
"""What is kept of a long window in which no word became final, such as music."""

DOUBTED_LOG_PROB = -0.5
DOUBTED_FOR_MS = 400
"""A last word that is doubted while it is still being spoken is held back: it is usually another one a moment later.
Measured on 55 recordings: a third fewer shown words change (33 to 23 %), words show 10 ms later (median)."""

CUT_LEAD_MS = 60
"""A cut lies this much before the word that follows it (engine findings, section 8.5 of the design)."""


class TurnWords:
    """Everything the engine knows about the text of the open turn."""

    def __init__(self, policy: CommitPolicy, finality: Finality = Finality.WORDS) -> None:
        self._policy = policy
        self._has_final_words = finality is Finality.WORDS
        self._settled: list[DecodedWord] = []
        self._decode: Decode | None = None
        self._latest: tuple[DecodedWord, ...] = ()
        self._hypothesis = Hypothesis()

    @property
    def hypothesis(self) -> Hypothesis:
        """Final words, then tentative ones."""
        return self._hypothesis

    @property
    def words(self) -> tuple[DecodedWord, ...]:
        """The best reading of the whole turn."""
        return (*self._settled, *self._latest)

    def receive(self, decode: Decode) -> None:
        """A decode while somebody speaks."""
        self._policy.receive(decode)
        self._take(decode)
        words = self._hypothesis.words
        if len(words) > self._hypothesis.final_count and self._is_last_doubted(decode):
            self._hypothesis = replace(self._hypothesis, words=words[:-1])

    def hear_out(self, decode: Decode) -> None:
        """A decode in a pause that may be short: all its words are shown, for nothing of them is still spoken."""
        self._policy.receive(decode)
        self._take(decode)

    def flush(self, decode: Decode | None = None) -> None:
        """Where an utterance or the turn ends, all words of a decode become final: of this one or the latest."""
        decode = decode or self._decode
        if decode is not None:
            self._policy.flush(decode)
            self._take(decode)

    def cut_ms(self, window_start_ms: int, judged_until_ms: int) -> int | None:
        """Where the window should begin from now on; None leaves it as it is."""
        length_ms = judged_until_ms - window_start_ms
        if length_ms < LONG_WINDOW_MS:
            return None
        final_count = self._final_in_window(window_start_ms)
        for index in range(final_count - 1, 0, -1):
            if self._latest[index - 1].text[-1] in ".?!":
                return self._lead(index)
        if length_ms < LONGEST_WINDOW_MS:
            return None
        if final_count > 1:
            return self._lead(final_count - 1)
        return judged_until_ms - KEPT_WINDOW_MS

    def settle(self, before_ms: int) -> None:
        """The window begins at `before_ms` from now on."""
        left_behind = tuple(word for word in self._latest if word.start_ms < before_ms)
        if self._decode is not None and any(word.start_ms < before_ms for word in self._policy.tentative):
            # Nobody will hear these words again: as they are is better than not at all.
            self.flush(replace(self._decode, words=left_behind))
        self._settled += left_behind
        self._latest = self._latest[len(left_behind) :]
        if self._decode is not None:
            # A turn may end before the next decode: what is left behind must not be made final again.
            self._decode = replace(self._decode, words=self._latest)
        self._policy.trim(before_ms)

    def text(self, source: FormattedSource) -> TurnText:
        """The words of the turn as it stands; call after `flush`."""
        final = _spoken(self._policy.final if self._has_final_words else self.words)
        formatted = final if source is FormattedSource.FINAL_WORDS else _spoken(self.words)
        return TurnText(final, formatted or final)

    def reset(self) -> None:
        """A new turn."""
        self._policy.reset()
        self._settled = []
        self._decode = None
        self._latest = ()
        self._hypothesis = Hypothesis()

    def _take(self, decode: Decode) -> None:
        self._decode = decode
        self._latest = decode.words
        final, tentative = self._reading()
        self._hypothesis = Hypothesis(_spoken((*final, *tentative)), len(final))

    def _reading(self) -> tuple[tuple[DecodedWord, ...], tuple[DecodedWord, ...]]:
        """Final words, and those behind them."""
        if self._has_final_words:
            return self._policy.final, self._policy.tentative
        return (), self.words

    def _is_last_doubted(self, decode: Decode) -> bool:
        last = self._reading()[1][-1]
        is_fresh = decode.judged_until_ms - last.attended_ms < DOUBTED_FOR_MS
        return is_fresh and last.log_prob < DOUBTED_LOG_PROB

    def _final_in_window(self, window_start_ms: int) -> int:
        """Leading words of the latest decode that end no later than the last final word."""
        final = self._policy.final
        if not final:
            return 0
        last_ms = final[-1].end_ms
        return sum(1 for word in self._latest if word.start_ms >= window_start_ms and word.end_ms <= last_ms)

    def _lead(self, index: int) -> int:
        before, after = self._latest[index - 1], self._latest[index]
        return max(before.attended_ms, after.start_ms - CUT_LEAD_MS)


def _spoken(words: Sequence[DecodedWord]) -> tuple[Word, ...]:
    """Core words: times in order, confidence as the chance of the least sure token.

    A final word that was the last one when it was decoded may have been given all the sound there was. It stays as it
    was told: what follows starts no sooner, and ends no sooner.
    """
    spoken: list[Word] = []
    start_ms = end_ms = 0
    for word in words:
        start_ms = max(word.start_ms, start_ms)
        end_ms = max(word.end_ms, start_ms, end_ms)
        confidence = math.exp(min(0.0, word.log_prob))
        spoken.append(Word(word.text, StreamMs(start_ms), StreamMs(end_ms), confidence))
    return tuple(spoken)
