"""Comparing texts: alignment of words, and word error rate. PURE: no I/O.

Texts are scored after Whisper's English normaliser, on both sides, micro-averaged over a set. Single words
are paired by a simpler key (case and punctuation dropped), because the normaliser needs whole texts.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

with warnings.catch_warnings():
    # Compiling its source warns of an escape sequence; where warnings are errors it couldn't be imported.
    warnings.simplefilter("ignore")
    from whisper_normalizer.english import EnglishTextNormalizer

_NORMALIZER = EnglishTextNormalizer()
_DIGIT_BEFORE_DIGIT = re.compile(r"(\d)(?=\d)")
_DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS = {"oh": "0"} | {name: str(digit) for digit, name in enumerate(_DIGIT_NAMES)}
_NOT_IN_A_WORD = re.compile(r"[^\w']+")


@dataclass(frozen=True, slots=True)
class Pair:
    """One step of an alignment; None on the side that has no word there."""

    reference: int | None
    hypothesis: int | None


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Substitutions, deletions and insertions against a number of reference words."""

    errors: int = 0
    words: int = 0

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(self.errors + other.errors, self.words + other.words)

    @property
    def percent(self) -> float:
        """Word error rate; without reference words it has no meaning and is nan."""
        return 100 * self.errors / self.words if self.words else float("nan")


def word_key(word: str) -> str:
    """What must be equal for two words to be the same: letters, digits and apostrophes, lower case."""
    return _NOT_IN_A_WORD.sub("", word.replace("’", "'")).lower().strip("'")


def normalized_words(text: str, *, is_digits: bool = False) -> list[str]:
    """Words for scoring. `is_digits` splits numbers into single digits: style `digits` of the data set."""
    normalized = str(_NORMALIZER(text))
    if is_digits:
        # The normaliser joins neighbouring digits, and spells a "1" out before another number.
        words = _DIGIT_BEFORE_DIGIT.sub(r"\1 ", normalized).split()
        return [_DIGITS.get(word, word) for word in words]
    return normalized.split()


def word_errors(reference: str, hypothesis: str, *, is_digits: bool = False) -> WordErrors:
    """Errors of one text."""
    expected = normalized_words(reference, is_digits=is_digits)
    pairs = align(expected, normalized_words(hypothesis, is_digits=is_digits))
    wrong = sum(pair.reference is None or pair.hypothesis is None or not is_same for pair, is_same in pairs)
    return WordErrors(wrong, len(expected))


def total(counts: Iterable[WordErrors]) -> WordErrors:
    """Micro sum over texts."""
    return sum(counts, WordErrors())


def align(reference: Sequence[str], hypothesis: Sequence[str], *, is_prefix: bool = False) -> list[tuple[Pair, bool]]:
    """Levenshtein alignment: pairs in order, each with whether the two words are equal.

    With `is_prefix` the hypothesis may stop early at no cost: the reference words after its best end are
    left out. So an early partial pairs with the beginning of what it later became. Ties prefer the shortest
    such prefix, and a substitution over a deletion with an insertion.
    """
    start = 0
    while start < min(len(reference), len(hypothesis)) and reference[start] == hypothesis[start]:
        start += 1
    head = [(Pair(i, i), True) for i in range(start)]
    costs = _costs(reference[start:], hypothesis[start:])
    columns = len(hypothesis) - start
    rows = len(reference) - start
    if is_prefix:
        rows = min(range(rows + 1), key=lambda row: costs[row][columns])
    return head + _trace(costs, reference, hypothesis, start, rows, columns)


def equal_pairs(reference: Sequence[str], hypothesis: Sequence[str], *, is_prefix: bool = False) -> dict[int, int]:
    """Index in the reference of every word that the hypothesis has right → index in the hypothesis."""
    return {
        pair.reference: pair.hypothesis
        for pair, is_same in align(reference, hypothesis, is_prefix=is_prefix)
        if is_same and pair.reference is not None and pair.hypothesis is not None
    }


def _costs(reference: Sequence[str], hypothesis: Sequence[str]) -> list[list[int]]:
    table = [list(range(len(hypothesis) + 1))]
    for expected in reference:
        above = table[-1]
        row = [above[0] + 1]
        for column, got in enumerate(hypothesis, start=1):
            step = above[column - 1] + (expected != got)
            row.append(min(step, above[column] + 1, row[-1] + 1))
        table.append(row)
    return table


def _trace(
    costs: list[list[int]],
    reference: Sequence[str],
    hypothesis: Sequence[str],
    start: int,
    row: int,
    column: int,
) -> list[tuple[Pair, bool]]:
    backwards: list[tuple[Pair, bool]] = []
    while row or column:
        i, j = start + row - 1, start + column - 1
        is_same = bool(row and column and reference[i] == hypothesis[j])
        if row and column and costs[row][column] == costs[row - 1][column - 1] + (not is_same):
            backwards.append((Pair(i, j), is_same))
            row, column = row - 1, column - 1
        elif row and costs[row][column] == costs[row - 1][column] + 1:
            backwards.append((Pair(i, None), False))
            row -= 1
        else:
            backwards.append((Pair(None, j), False))
            column -= 1
    return backwards[::-1]
