"""How likely a word of a decode is to stay: a logistic score of what the decoder and time say about it.

PURE: standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tympan.engines.moonshine.hypothesis import Decode, DecodedWord

LOWEST_LOG_PROB = -3.0
HIGHEST_MARGIN = 6.0
MARGIN_FLOOR = 0.02
"""Keeps the logarithm of a margin of 0 finite."""
LONGEST_STABLE_MS = 1000
MOVED_MS = 300
"""A word found again starts at most this far from where it did."""
NEIGHBOUR_MOVED_MS = 150
"""Its left neighbour may read otherwise if it starts within this of where it did."""
SEARCH_WORDS = 6
"""How far a word's index may move between two decodes."""


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """Weights of the score, in logits.

    Fitted on 1,368 s of recorded speech; target: the word is in the last decode with the same neighbour.
    """

    bias: float = 2.263
    log_prob: float = 1.276
    log_margin: float = 0.552
    previous_log_prob: float = 1.128
    next_log_prob: float = 0.398
    stable_per_s: float = 1.19


def score(weights: ScoreWeights, decode: Decode, index: int, history: Sequence[Decode]) -> float:
    """Logit of the chance that word `index` of `decode` stays. `history`: earlier decodes, oldest first."""
    words = decode.words
    word = words[index]
    previous = _bounded(words[index - 1].log_prob) if index else 0.0
    following = _bounded(words[index + 1].log_prob) if index + 1 < len(words) else -1.0
    return (
        weights.bias
        + weights.log_prob * _bounded(word.log_prob)
        + weights.log_margin * math.log(min(word.margin, HIGHEST_MARGIN) + MARGIN_FLOOR)
        + weights.previous_log_prob * previous
        + weights.next_log_prob * following
        + weights.stable_per_s * stable_ms(decode, index, history) / 1000
    )


def stable_ms(decode: Decode, index: int, history: Sequence[Decode]) -> int:
    """Since when the word was found in every decode, as ms before this one; at most `LONGEST_STABLE_MS`."""
    words, at, since_ms = decode.words, index, 0
    for earlier in reversed(history):
        found = find_again(words, at, earlier.words)
        if found is None:
            break
        words, at = earlier.words, found
        since_ms = decode.judged_until_ms - earlier.judged_until_ms
        if since_ms >= LONGEST_STABLE_MS:
            return LONGEST_STABLE_MS
    return since_ms


def find_again(words: Sequence[DecodedWord], index: int, earlier: Sequence[DecodedWord]) -> int | None:
    """Where `earlier` has the same word near the same time, after the same neighbour or one at its time."""
    for at in range(max(0, index - SEARCH_WORDS), min(len(earlier), index + SEARCH_WORDS + 1)):
        if earlier[at].key != words[index].key or _apart_ms(earlier[at], words[index]) > MOVED_MS:
            continue
        if at == 0 and index == 0:
            return at
        if at and index and _is_same_neighbour(earlier[at - 1], words[index - 1]):
            return at
    return None


def _is_same_neighbour(one: DecodedWord, other: DecodedWord) -> bool:
    return one.key == other.key or _apart_ms(one, other) <= NEIGHBOUR_MOVED_MS


def _apart_ms(one: DecodedWord, other: DecodedWord) -> int:
    return abs(one.start_ms - other.start_ms)


def _bounded(log_prob: float) -> float:
    return max(LOWEST_LOG_PROB, log_prob)
