"""Word error rate of a text. PURE: standard library only.

Case and punctuation don't count; numbers written as digits count as other words, so the known recording has none.
"""

from __future__ import annotations

import re

_NOT_IN_A_WORD = re.compile(r"[^\w']+")


def words_of(text: str) -> list[str]:
    """What is compared."""
    return [word for word in _NOT_IN_A_WORD.sub(" ", text.replace("’", "'").lower()).split() if word.strip("'")]


def word_error_rate(reference: str, heard: str) -> float:
    """Substitutions, deletions and insertions for each word of the reference, which may not be empty."""
    expected, got = words_of(reference), words_of(heard)
    costs = list(range(len(got) + 1))
    for row, word in enumerate(expected, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(got, start=1):
            cheapest = min(costs[column] + 1, costs[column - 1] + 1, diagonal + (word != other))
            diagonal, costs[column] = costs[column], cheapest
    return costs[-1] / len(expected)
