"""The language of our tests: a caller who speaks and is silent, and what holds for any conversation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import ConfigUpdate, SessionConfig, TurnConfig
from tympan.core.effects import Control, Finish, ForceEndpoint
from tympan.core.events import (
    ConfigurationChanged,
    EndReason,
    SilencePassed,
    SpeechStarted,
    TurnEnded,
    TurnEvent,
    TurnUpdated,
)
from tympan.core.words import Word
from tympan.engines.scripted import Script, ScriptedStream, ScriptedWord
from tympan.runtime.listener import Listener


def silence(duration_ms: int, audio: AudioFormat | None = None) -> bytes:
    """Audio for a scripted stream, which looks at nothing but its length."""
    audio = audio or AudioFormat()
    zero = b"\xff" if audio.encoding is Encoding.PCM_MULAW else b"\x00\x00"
    return zero * (duration_ms * audio.sample_rate_hz // 1000)


def text_of(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def listen(
    script: Script, config: SessionConfig, items: list[bytes | Control], *, at_once: bool = False
) -> list[TurnEvent]:
    """All that a listener tells of these items; `at_once` queues them all before it does any work."""
    listener = Listener(ScriptedStream(script, config.turn.finality), config)
    events: list[TurnEvent] = []
    for item in items:
        if isinstance(item, bytes):
            listener.feed(item)
        else:
            listener.mark(item)
        if not at_once:
            events += _drain(listener)
    return events + _drain(listener)


def _drain(listener: Listener) -> list[TurnEvent]:
    events: list[TurnEvent] = []
    while (heard := listener.advance()) is not None:
        events += heard.events
    return events


@dataclass(frozen=True)
class Ended:
    """What a test says of a turn's end; the rest may be as it is."""

    text: str
    reason: EndReason
    order: int = 0

    @staticmethod
    def of(event: TurnEnded) -> Ended:
        return Ended(text_of(event.words), event.reason, event.turn_order)


class Caller:
    """Speaks to a listener, millisecond by millisecond.

    Each question replays the conversation from its start: what is said later can't change what was heard.
    """

    def __init__(self, turn: TurnConfig | None = None) -> None:
        self._config = SessionConfig(turn=turn or TurnConfig())
        self._words: list[ScriptedWord] = []
        self._items: list[bytes | Control] = []
        self._now_ms = 0
        self._told = 0

    def says(self, text: str, *, word_ms: int = 200, end_of_turn: float = 0.0) -> Caller:
        """Words without pauses; `end_of_turn` is the score that a look after the last of them reads."""
        texts = text.split()
        for index, word in enumerate(texts):
            confidence = end_of_turn if index == len(texts) - 1 else 0.0
            self._words.append(
                ScriptedWord(word, self._now_ms, self._now_ms + word_ms, end_of_turn_confidence=confidence)
            )
            self.stays_silent(ms=word_ms)
        return self

    def stays_silent(self, *, ms: int) -> Caller:
        self._items.append(silence(ms))
        self._now_ms += ms
        return self

    def forces_endpoint(self) -> Caller:
        self._items.append(ForceEndpoint())
        return self

    def updates(self, update: ConfigUpdate) -> Caller:
        self._items.append(update)
        return self

    def hangs_up(self) -> Caller:
        self._items.append(Finish())
        return self

    def hears(self, *turns: Ended) -> Caller:
        """Exactly these turns ended since the last question."""
        assert [Ended.of(event) for event in self.events() if isinstance(event, TurnEnded)] == list(turns)
        return self

    def hears_nothing(self) -> Caller:
        """No turn ended since the last question."""
        return self.hears()

    def sees(self, *partials: str) -> Caller:
        """The open turn read so, one after the other, since the last question; final words in capitals."""
        updates = [event for event in self.events() if isinstance(event, TurnUpdated)]
        assert [_partial_text(update) for update in updates] == list(partials)
        return self

    def events(self) -> list[TurnEvent]:
        """Everything since the last question."""
        script = Script(tuple(self._words), frame_ms=1)
        events = listen(script, self._config, self._items)
        told, self._told = self._told, len(events)
        return events[told:]


def _partial_text(update: TurnUpdated) -> str:
    final, tail = update.words[: update.final_count], update.words[update.final_count :]
    return text_of(tuple(replace(word, text=word.text.upper()) for word in final) + tail)


def check_turns(events: list[TurnEvent]) -> list[Word]:
    """What holds for every conversation; returns the words of its ended turns, in order."""
    words: list[Word] = []
    order, turn = 0, _OpenTurn()
    for event in events:
        if isinstance(event, ConfigurationChanged | SilencePassed):
            continue
        assert event.turn_order == order, "a turn's events come together, and turns come in order"
        turn.check(event)
        if isinstance(event, TurnEnded):
            words += event.words
            order, turn = order + 1, _OpenTurn()
    return words


class _OpenTurn:
    def __init__(self) -> None:
        self._final: tuple[Word, ...] = ()
        self._in_utterances: tuple[Word, ...] = ()
        self._has_started = False

    def check(self, event: SpeechStarted | TurnUpdated | TurnEnded) -> None:
        if isinstance(event, SpeechStarted):
            assert not self._has_started, "speech starts once a turn"
            self._has_started = True
            return
        assert self._has_started, "a turn's speech starts before its first words"
        final = event.words if isinstance(event, TurnEnded) else event.words[: event.final_count]
        assert final[: len(self._final)] == self._final, "final words never change, and their count only grows"
        self._final = final
        self._in_utterances += event.utterance_words
        assert self._in_utterances == final[: len(self._in_utterances)], "utterances are made of final words"
        if isinstance(event, TurnEnded):
            assert event.words, "a turn has words"
            assert self._in_utterances == event.words, "each word belongs to one utterance"
