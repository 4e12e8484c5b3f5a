"""Repairs of a decode before anybody reads it: word times, invented tails, a second opinion.

PURE: standard library only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from tympan.engines.moonshine.hypothesis import Decode

INVENTED_SPAN_MS = 130
"""Nobody starts three words in this time."""
UNHEARD_MS = 800
"""Speech this long after the last word should have given words."""
UNHEARD_AFTER_CUT_MS = 500
"""The same where an invented tail was cut."""


def repair_times(peaks: Sequence[float]) -> list[float]:
    """Attention peaks made non-decreasing: one outlier moves itself only.

    Keeps the longest non-decreasing run of peaks (a subsequence; the one that ends earliest where there
    are several) and puts the others on the lines between its members; before its first and after its
    last member they take that member's value. A running maximum instead would let one outlier drag all
    later ones to its time.
    """
    kept = _longest_non_decreasing(peaks)
    times: list[float] = []
    for index in range(len(peaks)):
        place = bisect_left(kept, index)
        left, right = kept[max(place - 1, 0)], kept[min(place, len(kept) - 1)]
        share = (index - left) / (right - left) if left != right else 0.0
        times.append(peaks[left] + share * (peaks[right] - peaks[left]))
    return times


def _longest_non_decreasing(values: Sequence[float]) -> list[int]:
    """Indices of a longest non-decreasing subsequence (patience sorting, O(n log n))."""
    lasts: list[float] = []
    """lasts[k]: lowest value that ends such a run of k + 1 values; `indices[k]` is where it stands."""
    indices: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        place = bisect_right(lasts, value)
        before.append(indices[place - 1] if place else -1)
        lasts[place : place + 1] = [value]
        indices[place : place + 1] = [index]
    kept: list[int] = []
    index = indices[-1] if indices else -1
    while index >= 0:
        kept.append(index)
        index = before[index]
    return kept[::-1]


def cut_invented_tail(decode: Decode) -> Decode:
    """Drop a run-away tail: from the first three words that start within 130 ms keep one, as incomplete.

    Not for the last decode of a turn: there it costs more words than it saves.
    """
    words = decode.words
    for index in range(len(words) - 2):
        if words[index + 2].start_ms - words[index].start_ms < INVENTED_SPAN_MS:
            kept = (*words[:index], replace(words[index], is_closed=False))
            return replace(decode, words=kept, has_ended=False, was_cut=True)
    return decode


def needs_second_opinion(decode: Decode, speech_end_ms: int) -> bool:
    """Whether speech up to `speech_end_ms` (by energy) went on too long after the last word.

    Then decode once more with 200 ms of room tone added, and once with the last 160 ms dropped, and let
    `best_opinion` choose.
    """
    return _blame(decode, speech_end_ms) > 0


def best_opinion(opinions: Sequence[Decode], speech_end_ms: int) -> Decode:
    """The decode that leaves least speech unheard; then the most words. The first unless one is better."""
    first = opinions[0]
    best = min(opinions, key=lambda decode: (_blame(decode, speech_end_ms), -len(decode.words)))
    return best if _blame(best, speech_end_ms) < _blame(first, speech_end_ms) else first


def _blame(decode: Decode, speech_end_ms: int) -> int:
    heard_until_ms = decode.words[-1].attended_ms if decode.words else decode.window_start_ms
    unheard_ms = speech_end_ms - heard_until_ms
    return (unheard_ms > UNHEARD_MS) + (decode.was_cut and unheard_ms > UNHEARD_AFTER_CUT_MS)
