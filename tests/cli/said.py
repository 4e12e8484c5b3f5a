"""What services say, in the words of a test."""

from __future__ import annotations

from tympan.core.units import StreamMs
from tympan.core.words import Word as SpokenWord
from tympan.wire.v3.messages import Turn, Word


def turn(
    order: int, text: str, *, is_end: bool = False, is_formatted: bool = False, start_ms: int | None = None
) -> Turn:
    """A Turn message; words of 400 ms, one every half second from the turn's start on, 10 s a turn."""
    begin = 10_000 * order if start_ms is None else start_ms
    words = tuple(
        Word(start=begin + 500 * index, end=begin + 500 * index + 400, confidence=0.9, text=word, word_is_final=is_end)
        for index, word in enumerate(text.split())
    )
    return Turn(order, is_formatted, is_end, text, 0.5, words)


def raw(order: int, text: str) -> Turn:
    return turn(order, text, is_end=True)


def formatted(order: int, text: str) -> Turn:
    return turn(order, text, is_end=True, is_formatted=True)


def words(text: str, start_ms: int = 0) -> tuple[SpokenWord, ...]:
    """Words of 400 ms, one every half second."""
    return tuple(
        SpokenWord(word, StreamMs(start_ms + 500 * index), StreamMs(start_ms + 500 * index + 400), 0.9)
        for index, word in enumerate(text.split())
    )
