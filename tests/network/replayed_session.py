"""One session of the hosted service, played from a speech track: bytes in, messages out. No sockets, no clocks.

Written from the protocol reference (sections 4 to 6) and independent of the code under test. It hears by the
audio's own position where that tells one (see `speech_track`), else by how much audio came. A word that began
before the stream did is heard if more than half of it came. Messages are the same however the audio is cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from speech_track import SpeechTrack, SpokenTurn, SpokenWord, position_of

Message = dict[str, Any]

_STEP_MS = 20
_SHOWN_AFTER_MS = 100
_FINAL_AFTER_MS = 320
_UTTERANCE_AFTER_MS = 240
_END_OF_TURN_AFTER_MS = 420
_FIRST_PARTIAL_AFTER_MS = 756


@dataclass(frozen=True)
class Profile:
    """How a model shows a turn."""

    model: str
    is_u3: bool
    mode: str | None


US = Profile("universal-streaming-english", is_u3=False, mode=None)
U3 = Profile("universal-3-5-pro", is_u3=True, mode="balanced")


@dataclass
class _OpenTurn:
    source: int  # which turn of the track its words belong to
    confidence: float
    words: list[SpokenWord]  # on the session's own clock
    shown: int = 0
    final: int = 0
    utterance_told: bool = False
    has_started: bool = False


class ReplayedSession:
    """What the service says of the audio of one connection."""

    def __init__(
        self,
        track: SpeechTrack,
        profile: Profile,
        *,
        rate_hz: int = 16_000,
        format_turns: bool = False,
        has_partials: bool = True,
    ) -> None:
        self._spoken = [(order, turn, word) for order, turn in enumerate(track.turns) for word in turn.words]
        self._profile = profile
        self._rate_hz = rate_hz
        self.format_turns = format_turns
        self._has_partials = has_partials
        self._pending = b""
        self._samples = 0
        self._offset_ms = 0  # of the track's clock before the session's
        self._segment_start_ms = 0  # on the track's clock
        self._next = 0  # the next word that may be heard
        self._turn: _OpenTurn | None = None
        self._turn_order = 0

    @property
    def received_ms(self) -> int:
        """Audio that was heard, by its samples."""
        return (self._samples + len(self._pending) // 2) * 1000 // self._rate_hz

    def receive_audio(self, payload: bytes) -> Iterator[Message]:
        """One binary message."""
        self._pending += payload
        step_bytes = self._rate_hz * _STEP_MS // 1000 * 2
        while len(self._pending) >= step_bytes:
            step, self._pending = self._pending[:step_bytes], self._pending[step_bytes:]
            self._place(step)
            self._samples += step_bytes // 2
            yield from self._advance(self._samples * 1000 // self._rate_hz)

    def force_endpoint(self) -> Iterator[Message]:
        """The open turn ends with what was heard; without one nothing happens."""
        if self._turn is not None:
            yield from self._end_turn(self._turn)

    def terminate(self) -> Iterator[Message]:
        """The same, at the end."""
        yield from self.force_endpoint()

    def _place(self, step: bytes) -> None:
        """Find out where in the track this audio stands."""
        position = position_of(step)
        if position is None:
            return
        offset_ms = round((position - self._samples) * 1000 / self._rate_hz)
        if abs(offset_ms - self._offset_ms) <= 1:
            return
        self._offset_ms = offset_ms
        self._segment_start_ms = round(position * 1000 / self._rate_hz)
        middles = [(word.start_ms + word.end_ms) // 2 for _, _, word in self._spoken]
        self._next = sum(middle < self._segment_start_ms for middle in middles)

    def _advance(self, now_ms: int) -> Iterator[Message]:
        while self._next < len(self._spoken):
            order, turn, word = self._spoken[self._next]
            if word.end_ms - self._offset_ms > now_ms:
                break
            self._next += 1
            yield from self._hear(order, turn, word)
        if self._turn is not None:
            yield from (self._show_u3 if self._profile.is_u3 else self._show_us)(self._turn, now_ms)
            if now_ms >= self._turn.words[-1].end_ms + _END_OF_TURN_AFTER_MS and self._is_complete(self._turn):
                yield from self._end_turn(self._turn)

    def _hear(self, order: int, turn: SpokenTurn, word: SpokenWord) -> Iterator[Message]:
        if self._turn is not None and self._turn.source != order:
            yield from self._end_turn(self._turn)
        if self._turn is None:
            self._turn = _OpenTurn(order, turn.end_of_turn_confidence, [])
        start_ms = max(word.start_ms, self._segment_start_ms) - self._offset_ms
        self._turn.words.append(replace(word, start_ms=start_ms, end_ms=word.end_ms - self._offset_ms))

    def _is_complete(self, turn: _OpenTurn) -> bool:
        """Whether the track has no more words of this turn."""
        return self._next >= len(self._spoken) or self._spoken[self._next][0] != turn.source

    def _show_us(self, turn: _OpenTurn, now_ms: int) -> Iterator[Message]:
        final = sum(word.end_ms + _FINAL_AFTER_MS <= now_ms for word in turn.words)
        shown = sum(word.end_ms + _SHOWN_AFTER_MS <= now_ms for word in turn.words)
        final = max(final, shown - 1, turn.final)
        utterance = ""
        is_over = self._is_complete(turn) and now_ms >= turn.words[-1].end_ms + _UTTERANCE_AFTER_MS
        if is_over and not turn.utterance_told:
            turn.utterance_told = True
            utterance = " ".join(word.text if self.format_turns else word.raw for word in turn.words)
        if (final, shown) == (turn.final, turn.shown) and not utterance:
            return
        turn.final, turn.shown = final, shown
        if self._has_partials:
            words = [_word(word, word.raw, is_final=place < final) for place, word in enumerate(turn.words[:shown])]
            transcript = " ".join(word.raw for word in turn.words[:final])
            yield self._message(words, transcript, utterance=utterance, confidence=0.0)

    def _show_u3(self, turn: _OpenTurn, now_ms: int) -> Iterator[Message]:
        if not turn.has_started:
            if now_ms < turn.words[0].start_ms + _FIRST_PARTIAL_AFTER_MS:
                return
            turn.has_started = True
            yield self._speech_started(turn)
            if self._has_partials:
                yield self._u3_partial(turn)

    def _speech_started(self, turn: _OpenTurn) -> Message:
        return {"timestamp": turn.words[0].start_ms, "confidence": 0.98, "type": "SpeechStarted"}

    def _u3_partial(self, turn: _OpenTurn) -> Message:
        texts = [word.text for word in turn.words]
        if not self._is_complete(turn):
            texts[-1] = texts[-1].rstrip(".,?!") + "—"
        words = [_word(word, text, is_final=False) for word, text in zip(turn.words, texts, strict=True)]
        return self._message(words, " ".join(texts), confidence=0.0)

    def _end_turn(self, turn: _OpenTurn) -> Iterator[Message]:
        formatted = " ".join(word.text for word in turn.words)
        formatted_words = [_word(word, word.text, is_final=True) for word in turn.words]
        if self._profile.is_u3:
            if not turn.has_started:
                yield self._speech_started(turn)
            yield self._message(
                formatted_words, formatted, is_end=True, is_formatted=True, confidence=1.0, utterance=formatted
            )
        else:
            raw_words = [_word(word, word.raw, is_final=True) for word in turn.words]
            raw = " ".join(word.raw for word in turn.words)
            utterance = "" if turn.utterance_told else raw
            yield self._message(raw_words, raw, is_end=True, confidence=turn.confidence, utterance=utterance)
            if self.format_turns:
                yield self._message(
                    formatted_words, formatted, is_end=True, is_formatted=True, confidence=turn.confidence
                )
        self._turn = None
        self._turn_order += 1

    def _message(
        self,
        words: list[Message],
        transcript: str,
        *,
        confidence: float,
        is_end: bool = False,
        is_formatted: bool = False,
        utterance: str = "",
    ) -> Message:
        return {
            "turn_order": self._turn_order,
            "turn_is_formatted": is_formatted,
            "end_of_turn": is_end,
            "transcript": transcript,
            "end_of_turn_confidence": confidence,
            "words": words,
            "utterance": utterance,
            "type": "Turn",
        }


def _word(word: SpokenWord, text: str, *, is_final: bool) -> Message:
    return {
        "start": word.start_ms,
        "end": word.end_ms,
        "confidence": word.confidence,
        "text": text,
        "word_is_final": is_final,
    }
