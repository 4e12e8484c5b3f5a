"""Which words of a new session were told before the old one was lost. PURE: words in, a count out.

A new session is given some audio again, so its first words repeat the last ones that are final already. Text
and time decide together: the last told word is looked for near where it was; where it isn't found (it was heard
differently), whatever lies before its end counts as told.
"""

from __future__ import annotations

from collections.abc import Sequence

from tympan.wire.v3.messages import Word

SAME_WORD_MS = 400
"""Farther apart, equal texts are two words. Engines place a word within about 100 ms, but a session that
begins in mid-speech places its first ones less well."""


def told_count(words: Sequence[Word], last_told: Word | None) -> int:
    """How many of the leading `words` were told before, the last of them being `last_told`."""
    if last_told is None:
        return 0
    near = [
        (distance_ms, index + 1)
        for index, word in enumerate(words)
        if plain(word.text) == plain(last_told.text)
        and (distance_ms := abs(_twice_middle_ms(word) - _twice_middle_ms(last_told)) / 2) <= SAME_WORD_MS
    ]
    if near:
        return min(near)[1]
    return next((index for index, word in enumerate(words) if _twice_middle_ms(word) >= 2 * last_told.end), len(words))


def plain(text: str) -> str:
    """A word without case and punctuation, as formatted and raw ones compare."""
    return "".join(character for character in text.casefold() if character.isalnum()) or text


def _twice_middle_ms(word: Word) -> int:
    return word.start + word.end
