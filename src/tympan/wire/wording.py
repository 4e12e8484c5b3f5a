"""How words are written on any wire. PURE: standard library and `core` only."""

from __future__ import annotations

from typing import Protocol

from tympan.core.words import Word


class Wording(Protocol):
    """How words are written: one word for each that is given, its times and confidence kept.

    A word whose text comes back empty (there was nothing but punctuation) is left out of messages.
    """

    language: str | None
    """The code of the one language that all words are in; None where it may be any."""

    def raw(self, words: tuple[Word, ...], *, filter_profanity: bool) -> tuple[Word, ...]:
        """Lower case, without punctuation; each word by itself, so that a final one stays as it is."""

    def formatted(self, words: tuple[Word, ...], *, filter_profanity: bool) -> tuple[Word, ...]:
        """With case and punctuation."""


def transcript_of(words: tuple[Word, ...]) -> str:
    """The words that have a text, joined by spaces; reads the same as the words of a message."""
    return " ".join(word.text for word in words if word.text)


def rounded(confidence: float) -> float:
    """Six digits: as many as clients have ever been shown."""
    return round(float(confidence), 6)
