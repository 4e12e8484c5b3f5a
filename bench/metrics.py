"""Words: when they were shown, settled and final, whether they kept still, how good their times are. PURE.

A reference word counts only where the turn's raw final has the same word at the same place (aligned); the
share of such words is part of each result. A word can't be shown before it begins: earlier equal words are
an accident of alignment and don't count.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.messages import TurnMessage
from bench.scoring import equal_pairs, word_key


@dataclass(frozen=True, slots=True)
class ReferenceWord:
    """A spoken word with its true times."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class WordTimeline:
    """What became of one spoken word; latencies count from its true end."""

    reference: ReferenceWord
    first_shown_ms: float
    stable_ms: float
    final_ms: float

    @property
    def first_shown_latency_ms(self) -> float:
        return self.first_shown_ms - self.reference.end_ms

    @property
    def stable_latency_ms(self) -> float:
        return self.stable_ms - self.reference.end_ms

    @property
    def final_latency_ms(self) -> float:
        return self.final_ms - self.reference.end_ms


@dataclass(frozen=True, slots=True)
class TimeError:
    """Reported minus true time of one word, on the audio clock."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Stillness:
    """How much of what was shown stayed."""

    final_words: int = 0
    final_changes: int = 0
    tentative_words: int = 0
    tentative_changes: int = 0

    def __add__(self, other: Stillness) -> Stillness:
        return Stillness(
            self.final_words + other.final_words,
            self.final_changes + other.final_changes,
            self.tentative_words + other.tentative_words,
            self.tentative_changes + other.tentative_changes,
        )

    @property
    def churn_percent(self) -> float:
        """Words shown but not final that the next message changed, of all such words."""
        return 100 * self.tentative_changes / self.tentative_words if self.tentative_words else 0.0


def percentile(values: Iterable[float], percent: float) -> float:
    """Nearest-rank percentile; nan of nothing."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def share_percent(values: Iterable[bool]) -> float:
    """Share of true values; nan of nothing."""
    listed = list(values)
    return 100 * sum(listed) / len(listed) if listed else math.nan


def unformatted_by_turn(turns: Iterable[TurnMessage]) -> dict[int, list[TurnMessage]]:
    """Messages of each turn up to its raw final, in order of arrival."""
    grouped: dict[int, list[TurnMessage]] = defaultdict(list)
    for turn in turns:
        if not turn.is_formatted:
            grouped[turn.turn_order].append(turn)
    return dict(grouped)


def final_words_in_order(turns: Iterable[TurnMessage]) -> list[str]:
    """Every word as it read when it first became final: what a client that never looks back has."""
    words: list[str] = []
    for messages in unformatted_by_turn(turns).values():
        known = 0
        for message in messages:
            finals = [word.text for word in message.words if word.is_final]
            words.extend(finals[known:])
            known = max(known, len(finals))
    return words


def stillness(turns: Iterable[TurnMessage]) -> Stillness:
    """Changes between the unformatted messages of each turn, its raw final included."""
    result = Stillness()
    for messages in unformatted_by_turn(turns).values():
        for i, message in enumerate(messages):
            later = messages[i + 1] if i + 1 < len(messages) else None
            result += _new_finals(messages[i - 1] if i else None, message)
            if later is not None:
                result += _changes(message, later)
    return result


def _new_finals(earlier: TurnMessage | None, message: TurnMessage) -> Stillness:
    before = sum(word.is_final for word in earlier.words) if earlier else 0
    return Stillness(final_words=max(0, sum(word.is_final for word in message.words) - before))


def _changes(message: TurnMessage, later: TurnMessage) -> Stillness:
    finals = [word for word in message.words if word.is_final]
    later_finals = [word.text for word in later.words if word.is_final]
    changed = sum(i >= len(later_finals) or later_finals[i] != word.text for i, word in enumerate(finals))
    kept = equal_pairs([word_key(word.text) for word in message.words], [word_key(word.text) for word in later.words])
    tentative = [i for i, word in enumerate(message.words) if not word.is_final]
    lost = sum(i not in kept for i in tentative)
    return Stillness(0, changed, len(tentative), lost)


def word_timelines(turns: Sequence[TurnMessage], reference: Sequence[ReferenceWord]) -> list[WordTimeline]:
    """Timelines of the reference words that the raw finals have right; of messages that came at real time."""
    by_turn = unformatted_by_turn(turns)
    timelines = [
        timeline
        for order, words in _paired(by_turn, reference).items()
        for timeline in _turn_timelines(by_turn[order], words)
    ]
    return sorted(timelines, key=lambda timeline: timeline.reference.start_ms)


def time_errors(turns: Sequence[TurnMessage], reference: Sequence[ReferenceWord]) -> list[TimeError]:
    """Errors of the times that the raw finals report, of the words that they have right."""
    by_turn = unformatted_by_turn(turns)
    return [
        TimeError(shown.start_ms - word.start_ms, shown.end_ms - word.end_ms)
        for order, words in _paired(by_turn, reference).items()
        for shown, word in ((by_turn[order][-1].words[index], word) for index, word in words.items())
    ]


def _paired(
    by_turn: dict[int, list[TurnMessage]], reference: Sequence[ReferenceWord]
) -> dict[int, dict[int, ReferenceWord]]:
    """For each turn, the index of every word of its raw final that is right → the reference word."""
    places = [(order, index) for order, messages in by_turn.items() for index in range(len(messages[-1].words))]
    texts = [word_key(by_turn[order][-1].words[index].text) for order, index in places]
    paired: dict[int, dict[int, ReferenceWord]] = defaultdict(dict)
    for reference_index, place in equal_pairs([word_key(word.text) for word in reference], texts).items():
        order, index = places[place]
        paired[order][index] = reference[reference_index]
    return dict(paired)


def _turn_timelines(messages: Sequence[TurnMessage], wanted: dict[int, ReferenceWord]) -> Iterable[WordTimeline]:
    keys = [word_key(word.text) for word in messages[-1].words]
    first: dict[int, float] = {}
    stable: dict[int, float] = {}
    final: dict[int, float] = {}
    for message in messages:
        shown = equal_pairs(keys, [word_key(word.text) for word in message.words], is_prefix=True)
        for index, word in wanted.items():
            place = shown.get(index)
            if place is None or message.at_ms < word.start_ms:
                stable.pop(index, None)
                continue
            first.setdefault(index, message.at_ms)
            stable.setdefault(index, message.at_ms)
            if message.words[place].is_final:
                final.setdefault(index, message.at_ms)
    for index, word in wanted.items():
        if index in final:
            yield WordTimeline(word, first[index], stable.get(index, final[index]), final[index])
