"""Turns: which pause each end of turn belongs to, and how long it took. PURE.

An end of turn belongs to the latest silence that began at least 100 ms before it came (no rule decides
sooner). That silence is the end of a true turn, a hesitation, another pause inside a turn, or a mere gap
between words. An end that comes when speech has gone on for more than 500 ms belongs to no silence, and
counts as one between words. Only messages received at real time can be judged so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.messages import Conversation, TurnMessage
from bench.metrics import ReferenceWord

SOONEST_DECISION_MS = 100
LATEST_DECISION_MS = 500
"""After the silence is over: what judging, computing and sending may take."""
LONG_PAUSE_MS = 700
"""Ends at inner pauses at least this long are counted apart: a listener would have answered too."""
SHORTEST_PAUSE_MS = 300
"""Inner pauses at least this long are what cuts are a share of."""


class SilenceKind(StrEnum):
    """What a silence in the reference is."""

    TURN_END = "end of a turn"
    HESITATION = "hesitation"
    PAUSE = "natural pause"
    WORD_GAP = "between words"


@dataclass(frozen=True, slots=True)
class Pause:
    """A labelled pause inside a turn."""

    start_ms: int
    end_ms: int
    is_hesitation: bool


@dataclass(frozen=True, slots=True)
class ReferenceTurn:
    """A true turn. `ends_sentence` is False where the source stops in mid-sentence: not judged."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[ReferenceWord, ...]
    ends_sentence: bool = True
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of the reference; `turn` is the index of its turn."""

    turn: int
    start_ms: int
    duration_ms: int
    kind: SilenceKind


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """What one policy did on one recording; only turns that end a sentence are in it."""

    turns: int
    latencies_ms: tuple[float, ...]
    """True end → end of turn, one for each true turn found."""
    hesitations: int
    hesitation_cuts: int
    pauses: int
    pause_cuts: int
    """Natural pauses of 300 to 700 ms."""
    long_pause_cuts: int
    word_gap_cuts: int

    @property
    def found(self) -> int:
        """True turns found."""
        return len(self.latencies_ms)

    @property
    def premature(self) -> int:
        """Ends inside a turn, those at pauses of 0.7 s and more (but for hesitations) left out."""
        return self.cuts + self.word_gap_cuts

    @property
    def inner_pauses(self) -> int:
        return self.hesitations + self.pauses

    @property
    def cuts(self) -> int:
        return self.hesitation_cuts + self.pause_cuts

    def __add__(self, other: TurnOutcome) -> TurnOutcome:
        return TurnOutcome(
            self.turns + other.turns,
            self.latencies_ms + other.latencies_ms,
            self.hesitations + other.hesitations,
            self.hesitation_cuts + other.hesitation_cuts,
            self.pauses + other.pauses,
            self.pause_cuts + other.pause_cuts,
            self.long_pause_cuts + other.long_pause_cuts,
            self.word_gap_cuts + other.word_gap_cuts,
        )


def silences(turns: Sequence[ReferenceTurn]) -> list[Silence]:
    """Every silence of the reference, by time."""
    found: list[Silence] = []
    for index, turn in enumerate(turns):
        after = turns[index + 1].start_ms if index + 1 < len(turns) else turn.end_ms + 10_000
        found.append(Silence(index, turn.end_ms, after - turn.end_ms, SilenceKind.TURN_END))
        for pause in turn.pauses:
            kind = SilenceKind.HESITATION if pause.is_hesitation else SilenceKind.PAUSE
            found.append(Silence(index, pause.start_ms, pause.end_ms - pause.start_ms, kind))
        for word, following in zip(turn.words, turn.words[1:], strict=False):
            gap_ms = following.start_ms - word.end_ms
            is_labelled = any(p.start_ms - 150 <= word.end_ms <= p.end_ms for p in turn.pauses)
            if gap_ms > 0 and not is_labelled:
                found.append(Silence(index, word.end_ms, gap_ms, SilenceKind.WORD_GAP))
    return sorted(found, key=lambda silence: silence.start_ms)


def judge_turns(conversation: Conversation, turns: Sequence[ReferenceTurn]) -> TurnOutcome:
    """Attribute every end of turn that came before Terminate, and count."""
    cut_by: dict[Silence, float] = {}
    known = silences(turns)
    for message in first_finals(conversation.turns):
        before = [s for s in known if s.start_ms <= message.at_ms - SOONEST_DECISION_MS]
        if before and message.at_ms < conversation.terminated_at_ms:
            cut_by.setdefault(_silence_of(before[-1], message.at_ms, len(turns)), message.at_ms)
    judged = [s for s in known if turns[s.turn].ends_sentence]
    ended = [s for s in cut_by if turns[s.turn].ends_sentence]

    def count(among: Iterable[Silence], kind: SilenceKind, from_ms: int, below_ms: float) -> int:
        return sum(s.kind is kind and from_ms <= s.duration_ms < below_ms for s in among)

    forever = float("inf")
    return TurnOutcome(
        turns=count(judged, SilenceKind.TURN_END, -10_000, forever),
        latencies_ms=tuple(cut_by[s] - s.start_ms for s in ended if s.kind is SilenceKind.TURN_END),
        hesitations=count(judged, SilenceKind.HESITATION, 0, forever),
        hesitation_cuts=count(ended, SilenceKind.HESITATION, 0, forever),
        pauses=count(judged, SilenceKind.PAUSE, SHORTEST_PAUSE_MS, LONG_PAUSE_MS),
        pause_cuts=count(ended, SilenceKind.PAUSE, SHORTEST_PAUSE_MS, LONG_PAUSE_MS),
        long_pause_cuts=count(ended, SilenceKind.PAUSE, LONG_PAUSE_MS, forever),
        word_gap_cuts=count(ended, SilenceKind.WORD_GAP, 0, forever)
        + count(ended, SilenceKind.PAUSE, 0, SHORTEST_PAUSE_MS),
    )


def _silence_of(latest: Silence, at_ms: float, turn_count: int) -> Silence:
    """The latest silence, or the speech after it when that has gone on for too long."""
    over_ms = latest.start_ms + latest.duration_ms
    if at_ms <= over_ms + LATEST_DECISION_MS:
        return latest
    is_next_turn = latest.kind is SilenceKind.TURN_END and latest.turn + 1 < turn_count
    return Silence(latest.turn + is_next_turn, over_ms, 0, SilenceKind.WORD_GAP)


def first_finals(turns: Iterable[TurnMessage]) -> list[TurnMessage]:
    """The first message with `end_of_turn` of each turn."""
    first: dict[int, TurnMessage] = {}
    for turn in turns:
        if turn.end_of_turn:
            first.setdefault(turn.turn_order, turn)
    return list(first.values())


def formatting_latencies_ms(turns: Iterable[TurnMessage]) -> list[float]:
    """Raw final → formatted final, of every turn that has both."""
    listed = list(turns)
    raw = {turn.turn_order: turn.at_ms for turn in listed if turn.is_raw_final}
    return [
        turn.at_ms - raw[turn.turn_order]
        for turn in listed
        if turn.end_of_turn and turn.is_formatted and turn.turn_order in raw
    ]


def force_latencies_ms(conversation: Conversation, *, within_ms: float = 1_000) -> list[float]:
    """ForceEndpoint sent → first final after it. Forces that nothing answered in time are left out."""
    finals = first_finals(conversation.turns)
    latencies: list[float] = []
    for control in conversation.controls:
        if control.kind == "ForceEndpoint":
            waits = [final.at_ms - control.at_ms for final in finals if final.at_ms >= control.at_ms]
            latencies.extend(wait for wait in waits[:1] if wait <= within_ms)
    return latencies
