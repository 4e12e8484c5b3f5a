"""A timeline: the words that the scripted engine hears in any audio. PURE: standard library and `core` only."""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.units import StreamMs
from tympan.core.words import Word

SHOWN_AFTER_MS = 100
FINAL_AFTER_MS = 500


@dataclass(frozen=True, slots=True)
class ScriptedWord:
    """One word, spoken from `start_ms` to `end_ms` of the audio; the reference of scripts says what each field does."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float = 0.9
    shown_after_ms: int = SHOWN_AFTER_MS
    final_after_ms: int = FINAL_AFTER_MS
    end_of_turn_confidence: float = 0.0
    formatted: str | None = None

    def spoken(self, *, formatted: bool = False) -> Word:
        text = self.formatted if formatted and self.formatted is not None else self.text
        return Word(text, StreamMs(self.start_ms), StreamMs(self.end_ms), self.confidence)


@dataclass(frozen=True, slots=True)
class Script:
    """A timeline. Words are in order and don't overlap; `frame_ms` is the piece of audio that one step judges."""

    words: tuple[ScriptedWord, ...] = ()
    frame_ms: int = 20
