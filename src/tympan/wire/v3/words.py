"""Core words as the protocol spells them, and texts made of them. PURE: standard library and `core` only."""

from __future__ import annotations

from dataclasses import replace

from tympan.core.words import Word
from tympan.wire.v3 import messages
from tympan.wire.wording import rounded

CUT_MARK = "—"
"""Stands behind the last word of a text that goes on."""

_DOUBTFUL_ENDS = ".,;:-…"
"""Models put these behind the last word of any text that is cut off (a full stop behind 85 % of them)."""


def wire_words(words: tuple[Word, ...], *, is_final: bool) -> tuple[messages.Word, ...]:
    """The words that have a text, as the protocol spells them."""
    return tuple(
        messages.Word(
            start=word.start_ms,
            end=word.end_ms,
            confidence=rounded(word.confidence),
            text=word.text,
            word_is_final=is_final,
        )
        for word in words
        if word.text
    )


def without_end(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words of a turn that is open: a dash in place of what doubtfully ends the last one. `?` and `!` stay."""
    if not words:
        return words
    *before, last = words
    text = last.text.rstrip(_DOUBTFUL_ENDS)
    if not text or text.endswith(("?", "!")):
        return words
    return (*before, replace(last, text=text + CUT_MARK))
