"""Which words of a new session were told before the old one was lost. PURE: words in, a count out.

A new session is given some audio again, so its first words repeat the last ones that are final already. Text
and time decide together: the last told word is looked for near where it was; where it isn't found (it was heard
differently), whatever lies before its end counts as told.
"""

from __future__ import annotations

from collections.abc import Sequence

from tympan.wire.v3.messages import Word

SAME_WORD_MS = 400
"""Farther apart, equal texts are two words. Engines place a word within about 100 ms, but a session that begins in
mid-speech places its first ones less well."""

SAME_PAIR_MS = 900
"""The same for two words in a row: beside a pause, a word may be placed before it or behind it."""


def told_count(words: Sequence[Word], told: Sequence[Word]) -> int:
    """How many of the leading `words` were told before; `told` are the last ones that were."""
    if not told:
        return 0
    last = told[-1]
    near = [
        (distance_ms, index + 1)
        for index, word in enumerate(words)
        if _is_same(word, last)
        and (distance_ms := abs(_twice_middle_ms(word) - _twice_middle_ms(last)) / 2)
        <= (SAME_PAIR_MS if _follows_same(words, index, told) else SAME_WORD_MS)
    ]
    if near:
        return min(near)[1]
    return next((index for index, word in enumerate(words) if _twice_middle_ms(word) >= 2 * last.end), len(words))


def _is_same(one: Word, other: Word) -> bool:
    return _plain(one.text) == _plain(other.text)


def _follows_same(words: Sequence[Word], index: int, told: Sequence[Word]) -> bool:
    """The words before both are the same, too."""
    return index > 0 and len(told) > 1 and _is_same(words[index - 1], told[-2])


def _plain(text: str) -> str:
    """A word without case and punctuation, as formatted and raw ones compare."""
    return "".join(character for character in text.casefold() if character.isalnum()) or text


def _twice_middle_ms(word: Word) -> int:
    return word.start + word.end
