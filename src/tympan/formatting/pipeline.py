"""How words are written: raw for a transcript as it grows, formatted for a finished turn. PURE.

A step takes words and gives as many back, with the same times and confidences; only texts change. The
formatted steps run in order and are idempotent, alone and as a whole. The models' own case and punctuation
are kept: steps add what they leave out. May import `core` only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tympan.core.words import Word
from tympan.formatting.plain import plain_text
from tympan.formatting.profanity import mask_text
from tympan.formatting.tidy import tidy_text

Words = tuple[Word, ...]
Step = Callable[[Words], Words]


def tidy(words: Words) -> Words:
    """One spelling for quotes, dashes and accents."""
    return _each(tidy_text, words)


def capitalise_first(words: Words) -> Words:
    """A finished turn starts with a capital."""
    if not words:
        return words
    return (replace(words[0], text=_capitalised(words[0].text)), *words[1:])


def plain(words: Words) -> Words:
    """Lower case, without punctuation; each word by itself."""
    return _each(plain_text, words)


def mask(words: Words) -> Words:
    """Profane words masked."""
    return _each(mask_text, words)


FORMATTED_STEPS: tuple[Step, ...] = (tidy, capitalise_first)
RAW_STEPS: tuple[Step, ...] = (plain,)


class EnglishWording:
    """The `Wording` of the wire for English text that a model has already cased and punctuated."""

    language: str | None = "en"

    def raw(self, words: Words, *, filter_profanity: bool) -> Words:
        """Lower case, without punctuation; a word of nothing but punctuation comes back empty."""
        return _run(RAW_STEPS, words, filter_profanity=filter_profanity)

    def formatted(self, words: Words, *, filter_profanity: bool) -> Words:
        """With case and punctuation."""
        return _run(FORMATTED_STEPS, words, filter_profanity=filter_profanity)


def _run(steps: tuple[Step, ...], words: Words, *, filter_profanity: bool) -> Words:
    for step in (*steps, mask) if filter_profanity else steps:
        words = step(words)
    return words


def _each(change: Callable[[str], str], words: Words) -> Words:
    return tuple(_reworded(word, change(word.text)) for word in words)


def _reworded(word: Word, text: str) -> Word:
    return word if text == word.text else replace(word, text=text)


def _capitalised(text: str) -> str:
    """The first letter upper case, if the word has no capital of its own (`iPhone` stays)."""
    if text != text.lower():
        return text
    for index, mark in enumerate(text):
        if mark.isdigit():
            return text
        if mark.isalpha():
            return text[:index] + mark.title() + text[index + 1 :]
    return text
