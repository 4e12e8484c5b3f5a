"""Core words as the protocol spells them, and texts made of them. PURE: standard library and `core` only."""

from __future__ import annotations

from dataclasses import replace

from tympan.core.words import Word
from tympan.wire.v3 import messages

CUT_MARK = "—"
"""Stands behind the last word of a text that goes on."""

_DOUBTFUL_ENDS = ".,;:-…"
"""Models put these behind the last word of any text that is cut off (a full stop behind 85 % of them)."""


def transcript_of(words: tuple[Word, ...]) -> str:
    """The words that have a text, joined by spaces; reads the same as `wire_words`."""
    return " ".join(word.text for word in words if word.text)


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


def rounded(confidence: float) -> float:
    """Six digits: as many as clients have ever been shown."""
    return round(float(confidence), 6)
