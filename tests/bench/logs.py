"""Hand-made message logs for the tests of the benchmark."""

from __future__ import annotations

from bench.messages import Conversation, SentControl, ShownWord, TurnMessage
from bench.metrics import ReferenceWord


def says(at_ms: float, text: str, *, turn: int = 0, ends: bool = False, formatted: bool = False) -> TurnMessage:
    """A message from text: `*` behind a word makes it tentative. Word i lasts from 1000 i to 1000 i + 500."""
    words = tuple(
        ShownWord(word.rstrip("*"), 1000 * i, 1000 * i + 500, not word.endswith("*"))
        for i, word in enumerate(text.split())
    )
    transcript = " ".join(word.text for word in words if word.is_final)
    return TurnMessage(at_ms, turn, words, transcript, ends, formatted)


def reference(text: str) -> list[ReferenceWord]:
    """The same words with true times: word i from 1000 i + 20 to 1000 i + 400."""
    return [ReferenceWord(word, 1000 * i + 20, 1000 * i + 400) for i, word in enumerate(text.split())]


def conversation(*turns: TurnMessage, controls: tuple[SentControl, ...] = ()) -> Conversation:
    """A log that holds them."""
    return Conversation(turns, controls, 10_000, 10.0, 0.0, 10)
