"""Profiles: what is seen of a turn. PURE: standard library and `core` only.

- `WordByWord` (US): final words never change; a finished turn is told once in plain words and, when asked for,
  once more formatted. `WHISPER` is the same flow without the second final.
- `WholeTurns` (U3): speech is announced; each partial says the whole turn anew, formatted, and replaces the one
  before; a finished turn is told once, formatted.

Source: protocol reference, section 5.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Protocol

from tympan.core.config import OutputConfig
from tympan.core.events import SpeechStarted, TurnEnded, TurnUpdated
from tympan.core.words import Word
from tympan.wire.v3 import messages
from tympan.wire.v3.words import wire_words, without_end
from tympan.wire.wording import Wording, rounded, transcript_of


class Profile(StrEnum):
    """How a client sees turns."""

    US = "us"
    WHISPER = "whisper"
    U3 = "u3"


US: frozenset[str] = frozenset({Profile.US})
U3: frozenset[str] = frozenset({Profile.U3})
"""What a parameter of one profile alone applies to."""


class TurnView(Protocol):
    """One connection's view of its turns: events in, messages out. It remembers what the client was last shown."""

    output: OutputConfig
    """In force; may change between two events."""

    def started(self, event: SpeechStarted) -> list[messages.ServerMessage]:
        """Speech of a turn was heard."""

    def updated(self, event: TurnUpdated) -> list[messages.Turn]:
        """The open turn reads differently."""

    def ended(self, event: TurnEnded) -> list[messages.Turn]:
        """The turn is over."""


class WordByWord:
    """The US profile. `has_formatted_final`: `format_turns` has an effect."""

    def __init__(self, output: OutputConfig, wording: Wording, *, has_formatted_final: bool) -> None:
        self.output = output
        self._wording = wording
        self._has_formatted_final = has_formatted_final
        self._shown: tuple[messages.Word, ...] = ()

    def started(self, event: SpeechStarted) -> list[messages.ServerMessage]:
        return []  # there is no such message

    def updated(self, event: TurnUpdated) -> list[messages.Turn]:
        """The transcript holds final words only; `words` holds every tentative one too, because a client shows
        a word the moment it appears there."""
        if not self.output.include_partial_turns:
            return []
        words, finals = self._raw(event.words), event.final_count
        turn = messages.Turn(
            turn_order=event.turn_order,
            turn_is_formatted=False,
            end_of_turn=False,
            transcript=transcript_of(words[:finals]),
            end_of_turn_confidence=rounded(event.end_of_turn_confidence),
            words=wire_words(words[:finals], is_final=True) + wire_words(words[finals:], is_final=False),
            utterance=self._utterance(event.utterance_words),
        )
        if _reading(turn.words) == _reading(self._shown) and not turn.utterance:
            return []
        self._shown = turn.words
        return [turn]

    def ended(self, event: TurnEnded) -> list[messages.Turn]:
        self._shown = ()
        utterance = self._utterance(event.utterance_words)
        raw = _final_turn(event, self._raw(event.words), utterance=utterance, is_formatted=False)
        if not self._formats_turns:
            return [raw]
        # Losing the words of a turn is worse than leaving them uncorrected.
        words = self._formatted(event.formatted_words or event.words)
        return [raw, _final_turn(event, words, utterance="", is_formatted=True)]

    @property
    def _formats_turns(self) -> bool:
        return self.output.format_turns and self._has_formatted_final

    def _utterance(self, words: tuple[Word, ...]) -> str:
        """Formatted if turns are (protocol reference, section 5.1)."""
        return transcript_of(self._formatted(words) if self._formats_turns else self._raw(words))

    def _raw(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        return self._wording.raw(words, filter_profanity=self.output.filter_profanity)

    def _formatted(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        return self._wording.formatted(words, filter_profanity=self.output.filter_profanity)


class WholeTurns:
    """The U3 profile."""

    def __init__(self, output: OutputConfig, wording: Wording) -> None:
        self.output = output
        self._wording = wording

    def started(self, event: SpeechStarted) -> list[messages.ServerMessage]:
        """Also where no partials are wanted: it is how a client learns that it is interrupted."""
        return [messages.SpeechStarted(event.onset_ms, rounded(event.confidence))]

    def updated(self, event: TurnUpdated) -> list[messages.Turn]:
        """`words` read like the transcript, the dash at its end included."""
        if not self.output.include_partial_turns:
            return []
        words = without_end(self._formatted(event.words))
        turn = messages.Turn(
            turn_order=event.turn_order,
            turn_is_formatted=False,
            end_of_turn=False,
            transcript=transcript_of(words),
            end_of_turn_confidence=rounded(event.end_of_turn_confidence),
            words=wire_words(words, is_final=False),
        )
        return [turn]

    def ended(self, event: TurnEnded) -> list[messages.Turn]:
        """The confidence is 1: it rises while the turn is open, and now the turn is over."""
        words = self._formatted(event.formatted_words or event.words)
        turn = _final_turn(event, words, utterance=transcript_of(words), is_formatted=True)
        return [replace(turn, end_of_turn_confidence=1.0)]

    def _formatted(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        return self._wording.formatted(words, filter_profanity=self.output.filter_profanity)


def view_of(profile: Profile, output: OutputConfig, wording: Wording) -> TurnView:
    """A new connection's view."""
    if profile is Profile.U3:
        return WholeTurns(output, wording)
    return WordByWord(output, wording, has_formatted_final=profile is Profile.US)


def _final_turn(event: TurnEnded, words: tuple[Word, ...], *, utterance: str, is_formatted: bool) -> messages.Turn:
    """A finished turn, in the words given: raw, or formatted."""
    return messages.Turn(
        turn_order=event.turn_order,
        turn_is_formatted=is_formatted,
        end_of_turn=True,
        transcript=transcript_of(words),
        end_of_turn_confidence=rounded(event.end_of_turn_confidence),
        words=wire_words(words, is_final=True),
        utterance=utterance,
    )


def _reading(words: tuple[messages.Word, ...]) -> list[tuple[str, bool]]:
    """What a partial reads like: the text and finality of each word."""
    return [(word.text, word.word_is_final) for word in words]
