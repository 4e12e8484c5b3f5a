"""Decodes for tests, written like speech: `heard("the cat sat", until_ms=1500)`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tympan.engines.moonshine.hypothesis import Decode, DecodedWord


def word(
    text: str, start_ms: int, end_ms: int | None = None, *, log_prob: float = -0.05, margin: float = 4.0
) -> DecodedWord:
    """A word; one that ends in punctuation is closed. It lasts 200 ms unless told."""
    return DecodedWord(
        text=text,
        key=re.sub(r"[^a-z0-9']", "", text.lower()) or "x",
        start_ms=start_ms,
        attended_ms=start_ms + 100,
        end_ms=start_ms + 200 if end_ms is None else end_ms,
        log_prob=log_prob,
        margin=margin,
        is_closed=text[-1:] in (".", ",", "?", "!"),
        tokens=(),
    )


def words(text: str, *, begin_ms: int = 0, every_ms: int = 250, log_prob: float = -0.05) -> list[DecodedWord]:
    """A word every 250 ms, from `begin_ms` on."""
    return [word(text, begin_ms + place * every_ms, log_prob=log_prob) for place, text in enumerate(text.split())]


def decode(
    spoken: Sequence[DecodedWord],
    until_ms: int,
    *,
    begin_ms: int = 0,
    has_ended: bool = False,
    was_cut: bool = False,
) -> Decode:
    return Decode(begin_ms, until_ms, tuple(spoken), has_ended, was_cut)


def heard(text: str, until_ms: int, *, log_prob: float = -0.05, has_ended: bool = False) -> Decode:
    """A decode of a window that begins at 0, a word every 250 ms."""
    return decode(words(text, log_prob=log_prob), until_ms, has_ended=has_ended)


def keys(some: Sequence[DecodedWord]) -> str:
    return " ".join(each.key for each in some)
