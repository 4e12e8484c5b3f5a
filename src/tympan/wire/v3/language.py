"""What a turn says of its language. PURE: standard library and `core` only.

An engine of one language can't tell another: the code is always its own. How far that can be believed shows in
its words alone, since those of another language are heard badly; so the confidence is their mean confidence.
"""

from __future__ import annotations

from dataclasses import replace

from tympan.wire.v3.messages import Turn
from tympan.wire.wording import rounded


def with_language(turn: Turn, language: str) -> Turn:
    """The turn with its language, where the protocol has a place for it: with an utterance or at the end."""
    if not turn.words or not (turn.utterance or turn.end_of_turn):
        return turn
    confidence = sum(word.confidence for word in turn.words) / len(turn.words)
    return replace(turn, language_code=language, language_confidence=rounded(confidence))
