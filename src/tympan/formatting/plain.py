"""A word as the model writes it → a raw word: lower case, without punctuation. PURE: standard library only.

Rules:
- A word's raw form depends on that word alone, and not on punctuation at its end: a final word stays as it
  was shown when the model adds a comma to it later.
- Apostrophes, hyphens and other marks between letters or digits stay (`don't`, `u.s`, `1,000`, `3:30`,
  `and/or`), and what belongs to a number stays with it (`$5`, `-2`, `.5`, `50%`).
- Idempotent. The result is empty when there was nothing but punctuation.
"""

from __future__ import annotations

import unicodedata

from tympan.formatting.tidy import tidy_text

_JOINING = frozenset("'-.,:/&@_+")
_BEFORE_A_DIGIT = frozenset("-+.#")
_AFTER_A_DIGIT = frozenset("%°")


def plain_text(text: str) -> str:
    """The raw form of a word."""
    bare = text.rstrip(".,?!")
    if bare.isascii() and bare.isalpha():
        return bare.lower()  # what the rules below give for most words, much faster
    lowered = tidy_text(tidy_text(text).lower())
    # A space at each end spares the ends of the word a rule of their own.
    padded = f" {lowered} "
    neighbours = zip(padded, padded[1:], padded[2:], strict=False)
    # Dropping a mark may bring accents together that have an order of their own: hence tidy again.
    return tidy_text("".join(mark for before, mark, after in neighbours if _stays(before, mark, after)))


def _stays(before: str, mark: str, after: str) -> bool:
    if _is_lettery(mark):
        return True
    if mark in _AFTER_A_DIGIT:
        return before.isdigit()
    if mark in _JOINING and _is_lettery(before) and _is_lettery(after):
        return True
    is_currency = unicodedata.category(mark) == "Sc"
    starts_number = (mark in _BEFORE_A_DIGIT or is_currency) and after.isdigit()
    return starts_number and before != mark


def _is_lettery(mark: str) -> bool:
    """Letters, digits, and the combining marks that belong to letters."""
    return mark.isalnum() or unicodedata.category(mark).startswith("M")
