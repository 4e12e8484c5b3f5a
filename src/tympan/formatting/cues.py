"""Words with times → subtitle cues. PURE: standard library and `core` only.

Rules:
- A cue has at most two lines of at most LINE_CHARS. A longer word has a line, and a cue, to itself.
- Every word is in one cue, in order. Cues never overlap, and each lasts.
- Cues and lines break where a reader would pause: after a sentence, at a pause of the voice, after a clause,
  before a connective; after a word that leans on the next one ("the", "of") only where nothing else fits.
- A cue stays long enough to be read, as far as the next one lets it.

Numbers are those of common subtitle guides (Netflix, BBC, EBU): 42 characters a line, 1 to 7 seconds a cue,
17 characters a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tympan.core.units import StreamMs
from tympan.core.words import Word

LINE_CHARS = 42
MIN_CUE_MS = 1_000
MAX_CUE_MS = 7_000
READING_CHARS_PER_S = 17

LINGER_MS = 500
"""How long a cue may outlast its last word while nobody knows yet what follows."""

_SPLIT_PAUSE_MS = 1_500
"""Across a longer silence no cue goes on: its text would be there long before it is said."""

_VOICE_PAUSE_MS = 300

_CUE_COST = 6
_INNER_SENTENCE_COST = 3
_SCRAP_COST = 8

_LEANING_WORDS = (
    "a an the my your his her its our their this that of to in on at for with from by and but or so as if "
    "mr. mrs. ms. dr. st. i we you they he she it is are was were be not no very"
)
_CONNECTIVE_WORDS = (
    "and but or nor so yet because although though while when where which who whose that if unless until "
    "since after before as than in on at for with from by to of about into over under between"
)
_LEANING = frozenset(_LEANING_WORDS.split())
_CONNECTIVES = frozenset(_CONNECTIVE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on the screen from `start_ms` until before `end_ms`; always `start_ms < end_ms`."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


class CueBuilder:
    """Turns in, in order; cues out. Remembers until when the screen is taken."""

    def __init__(self) -> None:
        self._taken_until_ms = 0

    def receive_turn(self, words: Sequence[Word], next_start_ms: StreamMs | None = None) -> list[Cue]:
        """The cues of a finished turn. `next_start_ms` is when the next turn begins, None if nobody knows:
        then the last cue outlasts its words by LINGER_MS at most."""
        spoken = [word for word in map(_tidy, words) if word.text]
        groups = _grouped(spoken)
        nexts = [*(group[0].start_ms for group in groups[1:]), next_start_ms]
        return [self._cue(group, start_ms) for group, start_ms in zip(groups, nexts, strict=False)]

    def _cue(self, group: Sequence[Word], next_start_ms: int | None) -> Cue:
        lines = _lines(group)
        said_ms = group[-1].end_ms
        start_ms = max(group[0].start_ms, self._taken_until_ms)
        reading_ms = sum(map(len, lines)) * 1000 // READING_CHARS_PER_S
        wanted_ms = max(said_ms, start_ms + max(MIN_CUE_MS, reading_ms))
        free_until_ms = said_ms + LINGER_MS if next_start_ms is None else max(said_ms, next_start_ms)
        self._taken_until_ms = max(min(wanted_ms, free_until_ms), start_ms + 1)
        return Cue(start_ms, self._taken_until_ms, lines)


def _tidy(word: Word) -> Word:
    return Word(" ".join(word.text.split()), word.start_ms, word.end_ms, word.confidence)


def _grouped(words: Sequence[Word]) -> list[Sequence[Word]]:
    """The words of each cue: the cheapest of all ways to break, found from the front (dynamic programming)."""
    costs = [0]  # of the cheapest way to show the words before this index
    begins = [0]  # where the last cue of that way begins
    for end in range(1, len(words) + 1):
        after = words[end] if end < len(words) else None
        ways = [(costs[begin] + _cue_cost(words[begin:end], after), begin) for begin in _possible(words, end)]
        cost, begin = min(ways)
        costs.append(cost)
        begins.append(begin)
    groups: list[Sequence[Word]] = []
    end = len(words)
    while end:
        groups.insert(0, words[begins[end] : end])
        end = begins[end]
    return groups


def _possible(words: Sequence[Word], end: int) -> list[int]:
    """Where a cue that ends there may begin: one word always fits."""
    begins = [end - 1]
    for begin in range(end - 2, -1, -1):
        group = words[begin:end]
        if (
            len(_text(group)) > 2 * LINE_CHARS + 1
            or group[-1].end_ms - group[0].start_ms > MAX_CUE_MS
            or group[1].start_ms - group[0].end_ms > _SPLIT_PAUSE_MS
        ):
            break
        if _line_breaks(group):
            begins.append(begin)
    return begins


def _cue_cost(group: Sequence[Word], after: Word | None) -> int:
    """How badly a cue reads; what follows it, None at the end of a turn, makes its last break."""
    cost = _CUE_COST + sum(_INNER_SENTENCE_COST for word in group[:-1] if _ends_sentence(word))
    if after is not None:
        cost += _break_cost(group[-1], after)
        if len(group) == 1:
            cost += _SCRAP_COST
    return cost + min(_line_breaks(group), default=(0, 0))[0] // 2


def _lines(group: Sequence[Word]) -> tuple[str, ...]:
    _, at = min(_line_breaks(group), default=(0, 0))
    return tuple(_text(line) for line in (group[:at], group[at:]) if line)


def _line_breaks(group: Sequence[Word]) -> list[tuple[int, int]]:
    """Ways to lay a cue out, as cost and index of the second line's first word; 0 is a single line."""
    if len(_text(group)) <= LINE_CHARS:
        return [(0, 0)]
    ways = []
    for at, (before, after) in enumerate(pairwise(group), start=1):
        first, second = len(_text(group[:at])), len(_text(group[at:]))
        if max(first, second) <= LINE_CHARS:
            ways.append((_break_cost(before, after) + abs(first - second) // 8, at))
    return ways


def _break_cost(before: Word, after: Word) -> int:
    """How badly it reads to break between two words."""
    if _ends_sentence(before):
        return 0
    if after.start_ms - before.end_ms >= _VOICE_PAUSE_MS:
        return 1
    if before.text[-1] in ",;:—–":
        return 2
    if before.text.lower() in _LEANING:
        return 14
    return 4 if after.text.lower() in _CONNECTIVES else 8


def _ends_sentence(word: Word) -> bool:
    return word.text.rstrip("\"'”’)]").endswith((".", "?", "!", "…")) and word.text.lower() not in _LEANING


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
