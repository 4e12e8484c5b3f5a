"""What a seam remembers of the turn under way and of the joint between two sessions. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from tympan.client.overlap import told_count
from tympan.wire.v3.messages import SpeechStarted, Turn, Word

OVERLAP_MS = 2000
"""Audio before the end of an open turn's last final word that a new session is given again, up to the start of a word.

Measured on 54 cuts of recorded speech: words near the seam that differ from those of an uncut session were 54 with
500 ms, 55 with 1000 ms, 36 with 2000 ms; without any, more than with 500 ms. The whole turn again is no better than
2000 ms. After the end of a turn its last word lies before a pause, and audio before its end only doubles it; unless
the service ended the turn because it left.
"""

LEAD_IN_MS = 150
"""Audio before the first word that is heard again: words are placed inexactly, and one that is cut is another word."""


@dataclass(slots=True)
class OpenTurn:
    """The turn under way, as it was told last."""

    order: int
    finals: tuple[Word, ...] = ()
    has_started: bool = False
    """Its SpeechStarted was told."""
    has_tentative: bool = False
    utterance_start: int = 0
    """Index of the first word of no told utterance."""
    confidence: float = 0.0


@dataclass(slots=True)
class Joint:
    """Where two sessions meet, until the turn that lies across it has been told whole."""

    repeated: tuple[Word, ...]
    """The last final words, where the new session hears the last of them again."""
    carried: tuple[Word, ...]
    """Final words of the open turn, told by earlier sessions."""
    is_hearing: bool = False
    """A turn of the new session is open."""
    has_joined: bool = False
    """New words of the turn were told."""
    decided_count: int | None = None
    """How many words of the turn under way were told before; None while that may change."""
    raw_length: int = 0
    """Words of the turn's first final."""
    over_order: int | None = None
    """The new session's turn that was told to its end."""
    left_out_order: int | None = None
    """The new session's turn that ended without anything new."""
    held_start: SpeechStarted | None = None
    """Told with the first new words, if there are any."""


def told_before(joint: Joint, turn: Turn) -> int:
    """How many leading words of the turn were told before the joint."""
    is_same_reading = joint.over_order is None or len(turn.words) == joint.raw_length
    if joint.decided_count is not None and is_same_reading:
        return min(joint.decided_count, len(turn.words))
    return told_count(turn.words, joint.repeated)


def ends_carried(joint: Joint, turn: Turn) -> bool:
    """The turn repeats the last carried word, so that its end is the end of the turn that was open."""
    return bool(joint.carried) and bool(turn.words) and turn.words[-1].end >= joint.carried[-1].start


def latest(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Those that a new session hears again."""
    return tuple(word for word in words if word.end > words[-1].end - OVERLAP_MS)


def finals_of(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The leading final words."""
    return tuple(takewhile(lambda word: word.word_is_final, words))


def text_of(words: tuple[Word, ...]) -> str:
    """As a transcript reads."""
    return " ".join(word.text for word in words)
