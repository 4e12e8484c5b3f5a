"""Where a decode goes on after the words that are already final. PURE: standard library only.

Decodes are not conditioned on final words, so a newer one may spell, split or time them otherwise. The
final words are aligned with it by edit distance; what follows the cheapest alignment is new text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tympan.engines.moonshine.hypothesis import DecodedWord


@dataclass(frozen=True, slots=True)
class AlignCosts:
    """Costs of the alignment; an inserted or a dropped word costs 1.

    Source: replay of 319 recorded clips. The values are broad: twenty others within a factor of two gave
    error rates within 0.2 points.
    """

    memory_words: int = 12
    """Final words that are aligned; older ones only bound where the search begins."""
    search_back_ms: int = 600
    same_per_s: float = 0.4
    """Equal words, for each second between their starts ..."""
    same_most: float = 0.4
    """... and at most this."""
    other: float = 0.6
    """Another word in place ..."""
    other_per_s: float = 1.0
    """... and this for each second between their starts."""
    overlap: float = 0.6
    """Added where the text would go on with a word that begins before the last final one has ended ..."""
    overlap_ms: int = 100
    """... by more than this: such a word was most likely said already."""


DEFAULT_COSTS = AlignCosts()


def continuation(final: Sequence[DecodedWord], words: Sequence[DecodedWord], costs: AlignCosts = DEFAULT_COSTS) -> int:
    """Index in `words` of the first word that comes after all `final` ones; `len(words)` if none does."""
    count = len(final)
    if all(a.key == b.key for a, b in zip(final, words, strict=False)) and len(words) >= count:
        return count
    recent = final[-costs.memory_words :]
    first = 0
    if count > len(recent):
        earliest_ms = recent[0].start_ms - costs.search_back_ms
        while first < len(words) and words[first].start_ms < earliest_ms:
            first += 1
    # Text from before the remembered words may stand in front: passing over it is cheaper then.
    lead = 0.5 if count > len(recent) else 1.0
    row = _edit_costs(recent, words[first:], lead, costs)
    free_from_ms = final[-1].end_ms - costs.overlap_ms
    for index, word in enumerate(words[first:]):
        if word.start_ms < free_from_ms:
            row[index] += costs.overlap
    return first + row.index(min(row))


def _edit_costs(
    final: Sequence[DecodedWord], words: Sequence[DecodedWord], lead: float, costs: AlignCosts
) -> list[float]:
    """Cost of aligning all of `final` with the first 0, 1, ... of `words`."""
    row = [index * lead for index in range(len(words) + 1)]
    for made, known in enumerate(final, 1):
        above, row = row, [float(made)]
        for index, word in enumerate(words):
            matched = above[index] + _pair_cost(known, word, costs)
            row.append(min(matched, above[index + 1] + 1, row[index] + 1))
    return row


def _pair_cost(known: DecodedWord, word: DecodedWord, costs: AlignCosts) -> float:
    apart_s = abs(known.start_ms - word.start_ms) / 1000
    if known.key == word.key:
        return min(costs.same_most, costs.same_per_s * apart_s)
    return costs.other + costs.other_per_s * apart_s
