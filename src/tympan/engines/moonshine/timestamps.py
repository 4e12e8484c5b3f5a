"""Attention peaks and silences to words with times. PURE: standard library only.

A word starts where attention peaks while its first token is predicted, less that head's lag; it ends
where the next word starts, or before that where the sound stops.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from tympan.engines.moonshine.hypothesis import DecodedWord
from tympan.engines.moonshine.tokens import TokenSpan, key_of

STEP_MS = 10
"""Resolution of a silence track."""

_FRAME_MS = 24
_FRAME_CENTRE_MS = 28
_ONSET_LAG_MS = 46
"""The onset head peaks that long after a word's onset: its median error on recorded speech."""

_MIN_SOUND_MS = 80
"""Sound after the last attended frame that surely belongs to the word."""
_MIN_PAUSE_MS = 80
"""Shorter silences before the next word are part of speech, such as the closure of a stop."""
_MAX_ONSET_MS = 50
"""A word's measured start may lie so far inside its sound: the pause before it ends sooner."""
_MIN_WORD_MS = 50


@dataclass(frozen=True, slots=True)
class SilenceTrack:
    """Whether each step of 10 ms since `start_ms` is silent."""

    start_ms: int
    is_silent: tuple[bool, ...]

    @property
    def end_ms(self) -> int:
        return self.start_ms + len(self.is_silent) * STEP_MS

    @property
    def last_sound_ms(self) -> int:
        """End of the last step with sound; `start_ms` when all is silent."""
        return self.sound_end_before(self.end_ms, self.start_ms)

    def sound_end_before(self, until_ms: int, from_ms: int) -> int:
        """End of the last sound between two times; `from_ms` when there is none."""
        step = min(until_ms - self.start_ms, len(self.is_silent) * STEP_MS) // STEP_MS
        first = max(0, -(-(from_ms - self.start_ms) // STEP_MS))
        while step > first and self.is_silent[step - 1]:
            step -= 1
        return max(from_ms, self.start_ms + step * STEP_MS)


class TokenSequence(Protocol):
    """Tokens and what the decoder says about each: a `Decoding`."""

    @property
    def tokens(self) -> tuple[int, ...]: ...
    @property
    def log_probs(self) -> tuple[float, ...]: ...
    @property
    def margins(self) -> tuple[float, ...]: ...
    @property
    def peaks(self) -> tuple[int, ...]: ...


def decoded_words(
    decoding: TokenSequence,
    spans: Sequence[TokenSpan],
    silence: SilenceTrack,
    window_start_ms: int,
) -> list[DecodedWord]:
    """The words of one decode, with times in ms since the first sample of the session.

    Starts never decrease, and every word lasts at least 50 ms. `silence` covers the window: its end is taken
    for the window's. `log_prob` and `margin` leave attached punctuation out: doubt about a comma is no doubt
    about the word.
    """
    peaks_ms = repair_times([window_start_ms + peak * _FRAME_MS + _FRAME_CENTRE_MS for peak in decoding.peaks])
    starts_ms = [max(window_start_ms, peaks_ms[span.core_first] - _ONSET_LAG_MS) for span in spans]
    words = []
    for span, (start_ms, limit_ms) in zip(spans, pairwise([*starts_ms, silence.end_ms]), strict=True):
        attended_ms = peaks_ms[span.core_end - 1]
        core = slice(span.core_first, span.core_end)
        words.append(
            DecodedWord(
                text=span.text,
                key=key_of(span.text),
                start_ms=start_ms,
                attended_ms=attended_ms,
                end_ms=_end_ms(start_ms, attended_ms, limit_ms, silence),
                log_prob=min(decoding.log_probs[core]),
                margin=min(decoding.margins[core]),
                is_closed=span.is_closed,
                tokens=decoding.tokens[span.first : span.end],
            )
        )
    return words


def _end_ms(start_ms: int, attended_ms: int, limit_ms: int, silence: SilenceTrack) -> int:
    """The next word's start, or the end of the sound before it when a pause lies between."""
    from_ms = max(start_ms, attended_ms) + _MIN_SOUND_MS
    for onset_ms in range(0, _MAX_ONSET_MS + 1, STEP_MS):
        pause_end_ms = limit_ms - onset_ms
        sound_end_ms = silence.sound_end_before(pause_end_ms, from_ms)
        if pause_end_ms - sound_end_ms >= _MIN_PAUSE_MS:
            return max(sound_end_ms, start_ms + _MIN_WORD_MS)
    return max(limit_ms, start_ms + _MIN_WORD_MS)


def repair_times(values: Sequence[int]) -> list[int]:
    """Make times non-decreasing: keep the longest non-decreasing subsequence, interpolate the others.

    A running maximum would let one outlier spoil all that follow. Of equally long subsequences the one that
    ends lowest counts. What precedes it rises from the smaller of the very first value and its first.
    """
    if not values:
        return []
    kept = _longest_non_decreasing(values)
    anchors = [(i, values[i]) for i in kept]
    if anchors[0][0] > 0:
        anchors.insert(0, (0, min(values[0], anchors[0][1])))
    repaired = [anchors[0][1]]
    for (left, low), (right, high) in pairwise(anchors):
        repaired += [low + (high - low) * (i - left) // (right - left) for i in range(left + 1, right + 1)]
    return repaired + [anchors[-1][1]] * (len(values) - len(repaired))


def _longest_non_decreasing(values: Sequence[int]) -> list[int]:
    """Indices of the longest non-decreasing subsequence, by patience sorting."""
    tails: list[int] = []
    tail_indices: list[int] = []
    before = [-1] * len(values)
    for i, value in enumerate(values):
        place = bisect_right(tails, value)
        before[i] = tail_indices[place - 1] if place else -1
        tails[place:] = [value, *tails[place + 1 :]]
        tail_indices[place:] = [i, *tail_indices[place + 1 :]]
    kept, at = [], tail_indices[-1]
    while at >= 0:
        kept.append(at)
        at = before[at]
    return kept[::-1]
