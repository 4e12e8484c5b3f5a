"""What a service says of its turns → each turn once, when nothing about it will change any more. Pure: no I/O.

Services differ: one sends a raw final and then a formatted one, another a single formatted final, a third only raw
finals. Rules:
- A formatted final settles its turn. So does the first message of a later turn, and the end of the session.
- A raw final waits for its formatted one, until the service has shown that it sends none.
- A settled turn is never told again, whatever comes late.
"""

from __future__ import annotations

from tympan.cli.transcript import SpokenTurn
from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.wire.v3.messages import Turn


class TurnLedger:
    """Holds the open turn."""

    def __init__(self) -> None:
        self._latest: Turn | None = None  # of a turn that hasn't settled
        self._settled_order = -1
        self._settled_until_ms = StreamMs(0)
        self._sends_formatted: bool | None = None  # None until the service has shown it

    @property
    def open_turn(self) -> Turn | None:
        """What was last said of the turn that hasn't settled."""
        return self._latest

    def receive_turn(self, turn: Turn) -> list[SpokenTurn]:
        """The turns that this message settles, none or one or two."""
        if turn.turn_order <= self._settled_order:
            return []
        settled = []
        if self._latest is not None and turn.turn_order > self._latest.turn_order:
            settled += self._settle(self._latest)
        if turn.end_of_turn and turn.turn_is_formatted:
            self._sends_formatted = True
        if self._latest is None or not self._latest.end_of_turn or turn.words:
            self._latest = turn
        if turn.end_of_turn and (turn.turn_is_formatted or self._sends_formatted is False):
            settled += self._settle(self._latest)
        return settled

    def close(self) -> list[SpokenTurn]:
        """No more messages: the open turn as far as it was heard. Idempotent."""
        return [] if self._latest is None else self._settle(self._latest)

    def _settle(self, turn: Turn) -> list[SpokenTurn]:
        if turn.end_of_turn and not turn.turn_is_formatted and self._sends_formatted is None:
            self._sends_formatted = False
        self._latest = None
        self._settled_order = turn.turn_order
        words = self._words(turn)
        if not words:
            return []
        self._settled_until_ms = words[-1].end_ms
        return [SpokenTurn(words)]

    def _words(self, turn: Turn) -> tuple[Word, ...]:
        if turn.words:
            return tuple(
                Word(word.text, StreamMs(word.start), StreamMs(word.end), word.confidence) for word in turn.words
            )
        # A text without words has no times; losing it would be worse.
        now_ms = self._settled_until_ms
        return tuple(Word(text, now_ms, now_ms, 0.0) for text in turn.transcript.split())
