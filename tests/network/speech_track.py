"""What somebody says, and when: the truth that a scripted server and a test share.

The audio of a track carries its own position, so that a server understands it at whatever place a stream starts
or starts again: sample n (n even) holds the low 15 bits of n / 2, sample n + 1 the next 15 bits and the sign. Any
three samples in a row tell where they stand. Silence from elsewhere and real recordings tell nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CONVERSATIONS = Path(__file__).with_name("conversations")

_LOW_BITS = 0x7FFF
_AGREEING_PAIRS = 3


@dataclass(frozen=True)
class SpokenWord:
    """`text` as the service formats it; `raw` without case and punctuation."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float = 0.98

    @property
    def raw(self) -> str:
        return self.text.lower().strip(".,?!")


@dataclass(frozen=True)
class SpokenTurn:
    """Words that belong together, and how sure the service is that they end a turn."""

    words: tuple[SpokenWord, ...]
    end_of_turn_confidence: float = 0.75

    @property
    def end_ms(self) -> int:
        return self.words[-1].end_ms

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class SpeechTrack:
    """Turns in order, with silence between and after them."""

    turns: tuple[SpokenTurn, ...]
    duration_ms: int

    @staticmethod
    def load(name: str) -> SpeechTrack:
        """A conversation from the files beside this module."""
        document = json.loads((CONVERSATIONS / f"{name}.json").read_text())
        turns = tuple(
            SpokenTurn(tuple(SpokenWord(**word) for word in turn["words"]), turn["end_of_turn_confidence"])
            for turn in document["turns"]
        )
        return SpeechTrack(turns, document["duration_ms"])

    @staticmethod
    def counting(turn_count: int, *, words_a_turn: int = 6, word_ms: int = 300, pause_ms: int = 1500) -> SpeechTrack:
        """Words that occur once each, so that a lost or a doubled one shows: "n0 n1 n2…"."""
        turns, now_ms = [], 500
        for order in range(turn_count):
            words = []
            for place in range(words_a_turn):
                words.append(SpokenWord(f"n{order * words_a_turn + place}", now_ms, now_ms + word_ms - 50))
                now_ms += word_ms
            turns.append(SpokenTurn(tuple(words)))
            now_ms += pause_ms
        return SpeechTrack(tuple(turns), now_ms)

    @property
    def words(self) -> tuple[SpokenWord, ...]:
        return tuple(word for turn in self.turns for word in turn.words)

    @property
    def text(self) -> str:
        return " ".join(turn.text for turn in self.turns)

    def audio(self, start_ms: int = 0, end_ms: int | None = None, *, rate_hz: int = 16_000) -> bytes:
        """PCM16 of a stretch of the track; all of it by default."""
        end = (self.duration_ms if end_ms is None else end_ms) * rate_hz // 1000
        return positioned_audio(start_ms * rate_hz // 1000, end)


def positioned_audio(start: int, end: int) -> bytes:
    """Samples `start` to `end` (excluded), each telling where it stands."""
    index = np.arange(start, end, dtype=np.int64)
    pair = index >> 1
    low, high = pair & _LOW_BITS, ((pair >> 15) & _LOW_BITS) - 0x8000
    return np.where(index & 1, high, low).astype("<i2").tobytes()


def position_of(audio: bytes) -> int | None:
    """Which sample this audio starts with; None when it doesn't tell, or isn't of one piece."""
    samples = np.frombuffer(audio, "<i2").astype(np.int64)
    first = 0 if samples[:1] >= 0 else 1
    low, high = samples[first::2], samples[first + 1 :: 2]
    low = low[: len(high)]
    if len(high) < _AGREEING_PAIRS or (low < 0).any() or (high >= 0).any():
        return None
    pairs = low | ((high & _LOW_BITS) << 15)
    if (np.diff(pairs) != 1).any():
        return None
    return int(pairs[0]) * 2 - first
