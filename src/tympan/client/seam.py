"""Messages of successive sessions → the messages of one conversation. PURE: nothing here knows a clock or socket.

A service that can't resume is given the audio again in a new session, from `replay_from_ms` on. The rules of the
seam between the two:
- Nothing final is told twice or taken back: what the new session repeats is left out, and an open turn goes on
  as the same turn, its later messages carrying the final words told before in front.
- Times and turn orders continue. `Termination` counts all audio.
- A turn that was told raw and whose formatted form is still due gets one in its raw words: a client that shows
  formatted turns only would lose the turn otherwise.
- An open turn is ended where the new session shows that it is over: by ending its own rest of it, by a first new
  word that comes too late to belong to it, by hearing nothing for so long, or by its own end.
- Until a final word lies clearly behind the seam, new words are told as tentative, so that what is left out may
  still be decided otherwise.

In a profile where nothing is final before the end of the turn (U3), no turn has words to carry: an open turn is
told anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from tympan.client.joint import (
    LEAD_IN_MS,
    Joint,
    OpenTurn,
    ends_carried,
    finals_of,
    latest,
    text_of,
    told_before,
)
from tympan.wire.v3.messages import (
    Heartbeat,
    LLMGatewayResponse,
    ServerWarning,
    Silence,
    SpeechStarted,
    Termination,
    Turn,
    Word,
)

Told = Turn | SpeechStarted | Heartbeat | Silence | LLMGatewayResponse | ServerWarning | Termination
"""What a conversation consists of."""

CLEARLY_BEHIND_MS = 300
"""A final word that ends so far behind the seam decides what of its turn was told before."""


@dataclass(slots=True)
class Seam:
    """Follows one conversation. `is_formatting`: each turn is told raw, then formatted."""

    is_formatting: bool = False
    longest_silence_ms: int = 1280
    """A word that begins later than this after the last one is of another turn (`max_turn_silence`)."""
    _origin_ms: int = 0
    _order_shift: int = 0
    _earlier_s: int = 0
    """Length of the sessions before the present one."""
    _last_words: tuple[Word, ...] = ()
    """The last final words of a turn, those in the last `OVERLAP_MS`."""
    _turn_from_ms: int = 0
    """Where that turn may have begun: the end of the words before it."""
    _words_order: int = 0
    """That turn."""
    _open: OpenTurn = field(default_factory=lambda: OpenTurn(0))
    _due: Turn | None = None
    """A turn told raw, whose formatted form is still to come."""
    _joint: Joint | None = None

    @property
    def told_until_ms(self) -> int:
        """End of the last final word."""
        return self._last_words[-1].end if self._last_words else 0

    @property
    def is_turn_open(self) -> bool:
        """Speech was told that no turn has ended with."""
        return self._open.has_started or self._open.has_tentative or bool(self._open.finals)

    def replay_from_ms(self, settled_ms: int, *, is_abrupt: bool = False) -> int:
        """Where a new session has to begin, were the connection lost now.

        `settled_ms`: what was spoken before is known to be told, from elsewhere. `is_abrupt`: the service ended the
        last turn because it left, maybe in the middle of a word.
        """
        if not self._last_words or not (self._open.finals or is_abrupt):
            return max(self.told_until_ms, settled_ms)
        return max(self._turn_from_ms, self._last_words[0].start - LEAD_IN_MS)

    def cut(self, origin_ms: int, *, session_s: int) -> list[Told]:
        """A new session follows, whose audio begins at `origin_ms`; the old one lasted `session_s`."""
        due, self._due = self._due, None
        self._order_shift = self._open.order
        self._origin_ms = origin_ms
        self._earlier_s += session_s
        repeated = self._last_words if self.told_until_ms > origin_ms else ()
        self._joint = Joint(repeated, self._open.finals, decided_count=None if repeated else 0)
        return [] if due is None else [replace(due, turn_is_formatted=True, utterance="")]

    def receive(self, message: Told) -> list[Told]:
        """A message of the present session came; what is told of it."""
        match message:
            case Turn():
                told = self._receive_turn(self._moved(message))
                for item in told:
                    self._note(item)
                return told
            case SpeechStarted():
                return self._receive_start(replace(message, timestamp=message.timestamp + self._origin_ms))
            case Silence(start_ms, end_ms):
                return [Silence(start_ms + self._origin_ms, end_ms + self._origin_ms)]
            case Heartbeat(audio_ms, duration_ms):
                earlier_ms = self._earlier_s * 1000
                return [
                    replace(
                        message,
                        total_audio_received_ms=audio_ms + self._origin_ms,
                        total_duration_ms=duration_ms + earlier_ms,
                    )
                ]
            case LLMGatewayResponse(order):
                return [replace(message, turn_order=order + self._order_shift)]
            case ServerWarning():
                return [message]
            case Termination(audio_s, session_s):
                audio_s += round(self._origin_ms / 1000)
                left_open = [] if self._joint is None else self._end_open_turn()
                return [*left_open, Termination(audio_s, session_s + self._earlier_s)]
            case _:
                assert_never(message)

    def advance(self, quiet_until_ms: int) -> list[Told]:
        """The present session has heard the audio up to there, and told what it heard; what is told of that."""
        joint = self._joint
        if joint is None or joint.is_hearing or joint.has_joined or not joint.carried:
            return []
        if quiet_until_ms <= joint.carried[-1].end + self.longest_silence_ms:
            return []
        joint.carried = ()
        self._order_shift += 1
        return self._end_open_turn()

    def _moved(self, turn: Turn) -> Turn:
        """The turn on the conversation's clock."""
        by_ms = self._origin_ms
        words = tuple(replace(word, start=word.start + by_ms, end=word.end + by_ms) for word in turn.words)
        return replace(turn, words=words) if by_ms else turn

    def _receive_start(self, started: SpeechStarted) -> list[Told]:
        joint = self._joint
        if joint is not None and joint.over_order is None:
            joint.held_start = replace(started, timestamp=max(started.timestamp, self.told_until_ms))
            return []
        self._open.has_started = True
        return [started]

    def _receive_turn(self, turn: Turn) -> list[Told]:
        joint = self._joint
        if joint is not None and joint.over_order not in (None, turn.turn_order):
            joint = self._joint = None
        if joint is None:
            return [self._ordered(turn)]
        joint.is_hearing = not turn.end_of_turn
        if turn.end_of_turn:
            return self._end_at(joint, turn)
        return self._update_at(joint, turn)

    def _update_at(self, joint: Joint, turn: Turn) -> list[Told]:
        """A partial of a turn that may lie across the joint."""
        count = told_before(joint, turn)
        fresh = turn.words[count:]
        finals = [word for word in fresh if word.word_is_final]
        if finals and finals[-1].end > self._end_ms(joint) + CLEARLY_BEHIND_MS:
            joint.decided_count = count
        if not fresh and not joint.has_joined:
            return []
        return self._joined(joint, turn, count)

    def _end_at(self, joint: Joint, turn: Turn) -> list[Told]:
        """A final of a turn that may lie across the joint."""
        if joint.left_out_order == turn.turn_order:
            return []  # the formatted form of a turn that was left out
        count = told_before(joint, turn)
        joint.raw_length = len(turn.words)
        is_repetition = count == len(turn.words)
        if is_repetition and joint.over_order is None and not ends_carried(joint, turn):
            joint.left_out_order, joint.held_start, joint.decided_count = turn.turn_order, None, None
            self._order_shift -= 1
            return []
        joint.over_order, joint.decided_count = turn.turn_order, count
        return self._joined(joint, turn, count)

    def _joined(self, joint: Joint, turn: Turn, count: int) -> list[Told]:
        """The turn as it is told: carried words, then what is new."""
        told: list[Told] = []
        fresh = turn.words[count:]
        if fresh and not joint.has_joined and self._is_late(joint, fresh[0]):
            told += self._end_open_turn()
            joint.carried = ()
            self._order_shift += 1
        if joint.held_start is not None and not self.is_turn_open:
            self._open.has_started = True
            told.append(joint.held_start)
        joint.held_start = None
        joint.has_joined = True
        return [*told, self._ordered(self._spliced(joint, turn, count))]

    def _spliced(self, joint: Joint, turn: Turn, count: int) -> Turn:
        end_ms = self._end_ms(joint)
        is_decided = joint.decided_count is not None
        fresh = (
            replace(
                word,
                start=max(word.start, end_ms),
                end=max(word.end, end_ms),
                word_is_final=word.word_is_final and is_decided,
            )
            for word in turn.words[count:]
        )
        words = (*joint.carried, *fresh)
        if words == turn.words:
            return turn
        shows_finals_only = turn.transcript == text_of(finals_of(turn.words))
        utterance = turn.utterance and text_of(words[self._open.utterance_start :])
        transcript = text_of(finals_of(words) if shows_finals_only else words)
        return replace(turn, words=words, transcript=transcript, utterance=utterance)

    def _end_open_turn(self) -> list[Told]:
        """The end of a turn whose words are all told, in those words; nothing where there are none."""
        turn = self._open
        if not turn.finals:
            return []
        ended = Turn(
            turn_order=turn.order,
            turn_is_formatted=False,
            end_of_turn=True,
            transcript=text_of(turn.finals),
            end_of_turn_confidence=turn.confidence,
            words=turn.finals,
            utterance=text_of(turn.finals[turn.utterance_start :]),
        )
        told = [ended, replace(ended, turn_is_formatted=True, utterance="")] if self.is_formatting else [ended]
        for item in told:
            self._note(item)
        return [*told]

    def _is_late(self, joint: Joint, word: Word) -> bool:
        return bool(joint.carried) and word.start > joint.carried[-1].end + self.longest_silence_ms

    def _end_ms(self, joint: Joint) -> int:
        return joint.repeated[-1].end if joint.repeated else 0

    def _ordered(self, turn: Turn) -> Turn:
        return replace(turn, turn_order=turn.turn_order + self._order_shift)

    def _note(self, told: Told) -> None:
        """Remember how things stand after telling this."""
        if not isinstance(told, Turn):
            return
        if told.end_of_turn:
            self._note_end(told)
            return
        if self._open.order != told.turn_order:
            self._open = OpenTurn(told.turn_order)
        turn = self._open
        turn.finals = finals_of(told.words)
        turn.has_tentative = len(turn.finals) < len(told.words)
        turn.confidence = told.end_of_turn_confidence
        if told.utterance:
            turn.utterance_start = len(told.words)
        self._note_words(told.turn_order, turn.finals)

    def _note_end(self, told: Turn) -> None:
        if told.turn_order < self._open.order:
            self._due = None  # the formatted form of a turn that has ended
            return
        if self._due is not None:
            self.is_formatting = False  # this service tells each turn once
        self._due = told if self.is_formatting and not told.turn_is_formatted else None
        self._note_words(told.turn_order, told.words)
        self._open = OpenTurn(told.turn_order + 1)

    def _note_words(self, order: int, words: tuple[Word, ...]) -> None:
        if not words:
            return
        if order != self._words_order:
            self._turn_from_ms, self._words_order = self.told_until_ms, order
        self._last_words = latest(words)
