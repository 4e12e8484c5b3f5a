"""Director: follows one session and says what is due. PURE: standard library only.

Rules:
- A cue is given once. Those that fall together come in the order of their moments, then of the script.
- What is due at a moment is answered where that moment is reported; the shell performs it before it goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from tympan.script.cues import Act, AfterAudio, AfterMessages, At, Cue


class Director:
    """The cues of one session, over all its connections."""

    def __init__(self, cues: Iterable[Cue]) -> None:
        self._waiting = list(cues)
        self._said = 0

    def receive_audio(self, received_ms: int) -> list[Act]:
        """So much audio has come in all."""
        return self._take(lambda moment: isinstance(moment, AfterAudio) and moment.audio_ms <= received_ms)

    def receive_text(self, text: str) -> list[Act]:
        """A text message of the client came, and isn't obeyed yet."""
        if not is_terminate(text):
            return []
        acts = self._take(lambda moment: moment is At.TERMINATE)
        return acts + self._take(lambda moment: isinstance(moment, AfterAudio) and moment.or_at_end)

    def before_message(self, text: str) -> list[Act]:
        """This message is about to be said."""
        if self._said == 0:
            return self._take(lambda moment: moment is At.BEGIN)
        if message_type(text) in ("Termination", "SessionTerminated"):
            return self._take(lambda moment: moment is At.TERMINATION)
        return []

    def after_message(self) -> list[Act]:
        """It has been said."""
        self._said += 1
        return self._take(lambda moment: isinstance(moment, AfterMessages) and moment.count <= self._said)

    def _take(self, is_due: Callable[[object], bool]) -> list[Act]:
        due = [cue for cue in self._waiting if is_due(cue.moment)]
        self._waiting = [cue for cue in self._waiting if cue not in due]
        return [cue.act for cue in sorted(due, key=_position)]


def is_terminate(text: str) -> bool:
    """A client's message that asks for a graceful end, in either version of the protocol."""
    document = _document(text)
    return document.get("type") == "Terminate" or document.get("terminate_session") is True


def message_type(text: str) -> str | None:
    """What a server's message is, in either version of the protocol; None for what is none."""
    document = _document(text)
    kind = document.get("type", document.get("message_type"))
    return kind if isinstance(kind, str) else None


def _document(text: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _position(cue: Cue) -> int:
    return cue.moment.audio_ms if isinstance(cue.moment, AfterAudio) else 0
