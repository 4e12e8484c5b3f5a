"""Traces: what the engine decoded in a session, update by update, for replay without the model.

Decodes are not conditioned on final words, so one recording serves every commit policy. What does depend on
the recording policy is kept as it was: where the window was trimmed. All times are ms of the audio clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.dataset import Utterance, room_tone
from bench.listening import default_recognizer, hear
from tympan.core.config import SessionConfig
from tympan.core.events import TurnEnded, TurnUpdated
from tympan.core.listening import Heard
from tympan.core.words import Word
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.policy import CommitPolicy, ScoredAgreement

TAIL_MS = 1_600
"""Room tone behind an utterance: long enough for its turn to end by itself."""


@dataclass(frozen=True, slots=True)
class Received:
    """A decode while somebody spoke."""

    decode: Decode


@dataclass(frozen=True, slots=True)
class Flushed:
    """A decode in a pause, or where the turn was made to end."""

    decode: Decode


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The window's new start; no word that was final then ended after `final_until_ms`."""

    before_ms: int
    final_until_ms: int


Step = Received | Flushed | Trimmed


@dataclass(frozen=True, slots=True)
class TurnTrace:
    """What the policy was given between two resets. Not told: the engine took the turn for a noise."""

    steps: tuple[Step, ...]
    ended_at_ms: int
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class FinalWord:
    """A word as it was when it became final, and when that was."""

    text: str
    start_ms: int
    end_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One utterance in a session of its own. `final_words` are those that the engine itself told."""

    utterance: Utterance
    turns: tuple[TurnTrace, ...]
    final_words: tuple[FinalWord, ...]


class RecordingPolicy:
    """The default policy, writing down what it is given. See `tympan.engines.moonshine.policy.CommitPolicy`."""

    def __init__(self, policy: CommitPolicy) -> None:
        self._policy = policy
        self._steps: list[Step] = []
        self._closed: list[tuple[Step, ...]] = []

    @property
    def final(self) -> tuple[DecodedWord, ...]:
        return self._policy.final

    @property
    def tentative(self) -> tuple[DecodedWord, ...]:
        return self._policy.tentative

    def receive(self, decode: Decode) -> tuple[DecodedWord, ...]:
        self._steps.append(Received(decode))
        return self._policy.receive(decode)

    def flush(self, decode: Decode) -> tuple[DecodedWord, ...]:
        self._steps.append(Flushed(decode))
        return self._policy.flush(decode)

    def trim(self, before_ms: int) -> None:
        final_until_ms = self._policy.final[-1].end_ms if self._policy.final else 0
        self._steps.append(Trimmed(before_ms, final_until_ms))
        self._policy.trim(before_ms)

    def reset(self) -> None:
        self._closed.append(tuple(self._steps))
        self._steps.clear()
        self._policy.reset()

    def take_closed(self) -> list[tuple[Step, ...]]:
        """Turns closed since the last call."""
        closed, self._closed = self._closed, []
        return closed


def record(utterance: Utterance) -> Trace:
    """Let the engine hear an utterance in a session with default settings."""
    recorder = RecordingPolicy(ScoredAgreement())
    samples = np.concatenate([utterance.samples(), room_tone(TAIL_MS)])
    turns: list[TurnTrace] = []

    def heard_and_noted() -> Iterator[Heard]:
        for heard in hear(default_recognizer(lambda: recorder), samples, SessionConfig()):
            is_told = any(isinstance(event, TurnEnded) for event in heard.events)
            turns.extend(TurnTrace(steps, heard.judged_until_ms, is_told) for steps in recorder.take_closed())
            yield heard

    final_words = tuple(told_final_words(heard_and_noted()))
    return Trace(utterance, tuple(turns), final_words)


def told_final_words(session: Iterable[Heard]) -> Iterator[FinalWord]:
    """Every word as it was first told as final."""
    known = 0
    for heard in session:
        for event in heard.events:
            words: tuple[Word, ...] = ()
            match event:
                case TurnUpdated():
                    words = event.words[: event.final_count]
                case TurnEnded():
                    words = event.words
            for word in words[known:]:
                yield FinalWord(word.text, word.start_ms, word.end_ms, heard.judged_until_ms)
            known = 0 if isinstance(event, TurnEnded) else max(known, len(words))
