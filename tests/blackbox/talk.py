"""What our own server plays in this suite: a script of the test double, the same for every session.

The parts, on the clock of the audio:

- Sonny's turn of the protocol reference, section 6.1;
- a turn that seems unfinished, so that the longest silence ends it;
- a turn with a word to mask;
- a ladder: single words with longer and longer pauses, whose grouping into turns tells which silence ends one;
- a monologue without a pause.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SURE, UNSURE = 0.9, 0.2
SONNY_CONFIDENCE = 0.75
SONNY_MS = 2000
"""Audio up to here holds Sonny's turn and the pause that ends it."""
TABLE_MS = 7000
PROFANE_MS = 10_000
LADDER_START_MS = 12_000


@dataclass(frozen=True)
class Rung:
    """A word of the ladder and the pause after it. `is_sure`: the word seems to end a turn."""

    word: str
    pause_ms: int
    is_sure: bool


_SURE_PAUSES_MS = (80, 100, 280, 300, 380, 400, 580, 600, 1260, 1280)
_UNSURE_PAUSES_MS = (80, 100, 300, 400, 780, 800, 980, 1000, 1260, 1280)

LADDER = tuple(
    Rung(f"rung{place}", pause_ms, is_sure)
    for place, (pause_ms, is_sure) in enumerate(
        [*((ms, True) for ms in _SURE_PAUSES_MS), *((ms, False) for ms in _UNSURE_PAUSES_MS)]
    )
)
_RUNG_MS = 200
_TOP_MS = _RUNG_MS + 3800
"""The word after the last pause, and silence."""
LADDER_END_MS = LADDER_START_MS + sum(_RUNG_MS + rung.pause_ms for rung in LADDER) + _TOP_MS
_MONOLOGUE_WORDS = 40
MONOLOGUE_MS = LADDER_END_MS + _MONOLOGUE_WORDS * _RUNG_MS + 2000
"""Audio up to here holds everything."""


def _word(text: str, start_ms: int, end_ms: int, confidence: float = 0.0, **more: Any) -> dict[str, Any]:
    return {
        "text": text,
        "start_ms": start_ms,
        "end_ms": end_ms,
        "end_of_turn_confidence": confidence,
        **more,
    }


def _sentence(text: str, start_ms: int, confidence: float) -> list[dict[str, Any]]:
    return [
        _word(word, start_ms + 300 * place, start_ms + 300 * place + 260, confidence)
        for place, word in enumerate(text.split())
    ]


def _ladder() -> list[dict[str, Any]]:
    words, start_ms = [], LADDER_START_MS
    for rung in LADDER:
        words.append(_word(rung.word, start_ms, start_ms + _RUNG_MS, SURE if rung.is_sure else UNSURE))
        start_ms += _RUNG_MS + rung.pause_ms
    return [*words, _word("top", start_ms, start_ms + _RUNG_MS, SURE)]


def _monologue() -> list[dict[str, Any]]:
    starts_ms = range(LADDER_END_MS, LADDER_END_MS + _MONOLOGUE_WORDS * _RUNG_MS, _RUNG_MS)
    return [_word("blah", ms, ms + _RUNG_MS, SURE) for ms in starts_ms]


def words() -> list[dict[str, Any]]:
    """All of it."""
    return [
        _word("Hi,", 100, 300),
        _word("my", 320, 440),
        _word("name", 460, 700),
        _word("is", 720, 900),
        _word("Sonny.", 960, 1400, SONNY_CONFIDENCE),
        *_sentence("I would like to book a table.", 3000, UNSURE),
        *_sentence("That is shit, really.", 8000, SURE),
        *_ladder(),
        *_monologue(),
    ]


def write_script(folder: Path) -> Path:
    """The script as a file."""
    path = folder / "talk.json"
    path.write_text(json.dumps({"words": words()}))
    return path
