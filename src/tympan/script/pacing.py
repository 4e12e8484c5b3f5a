"""Text → words with times, as somebody speaks who is in no hurry. PURE: standard library and `core` only.

A word lasts 120 ms and 40 ms for each letter or digit, and is followed by 40 ms of nothing: about 170 English words
a minute. Punctuation takes no time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate

from tympan.script.timeline import ScriptedWord

WORD_MS = 120
LETTER_MS = 40
GAP_MS = 40

FIRST_START_MS = 300
"""Where the first turn starts if nothing else is said."""

PAUSE_MS = 1500
"""Between two turns if nothing else is said: longer than the longest silence within a turn by default (1280 ms)."""

END_OF_TURN_CONFIDENCE = 0.9
"""Of the last word of a turn: it ends after the shorter silence (400 ms by default)."""


def spoken_ms(text: str) -> int:
    """How long it takes to say a text."""
    return sum(_word_ms(word) + GAP_MS for word in text.split()) - GAP_MS


def spoken_words(text: str, start_ms: int, end_ms: int, confidence: float) -> tuple[ScriptedWord, ...]:
    """The words of a text that is said from here to there, each in proportion to its length."""
    words = text.split()
    natural_ms = spoken_ms(text)
    lengths = [_word_ms(word) + GAP_MS for word in words]
    offsets = [0, *accumulate(lengths)]

    def at(offset_ms: int) -> int:
        return start_ms + offset_ms * (end_ms - start_ms) // natural_ms

    return tuple(
        ScriptedWord(word, at(offset), at(offset + length - GAP_MS), confidence)
        for word, offset, length in zip(words, offsets, lengths, strict=False)
    )


def with_cadence(words: Iterable[ScriptedWord], every_ms: int) -> Iterator[ScriptedWord]:
    """The same words, shown and made final only where the audio is a multiple of so many milliseconds."""

    def due(word: ScriptedWord, after_ms: int) -> int:
        return -(-(word.end_ms + after_ms) // every_ms) * every_ms - word.end_ms

    for word in words:
        yield replace(
            word, shown_after_ms=due(word, word.shown_after_ms), final_after_ms=due(word, word.final_after_ms)
        )


def _word_ms(word: str) -> int:
    return WORD_MS + LETTER_MS * sum(letter.isalnum() for letter in word)
