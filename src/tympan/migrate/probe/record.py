"""What was said and heard on one connection, and when. PURE: standard library only.

Times are seconds since connecting began; audio is counted in ms of what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Document = dict[str, Any]
"""A message as it stood on the wire. Judging needs what was really there, before any decoding."""


class Trouble(StrEnum):
    """Why there is no WebSocket."""

    NO_HOST = "no such host"
    REFUSED = "connection refused"
    TIMEOUT = "no answer"
    CERTIFICATE = "certificate not trusted"
    TLS = "TLS failed"
    HTTP_STATUS = "refused by HTTP"
    NOT_WEBSOCKET = "not a WebSocket server"
    NETWORK = "network error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The connection was not opened."""

    trouble: Trouble
    detail: str
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One text message of the server; `document` is None when it is no JSON object."""

    at_s: float
    sent_ms: float
    text: str
    document: Document | None

    @staticmethod
    def of(text: str, *, at_s: float, sent_ms: float) -> Heard:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        return Heard(at_s, sent_ms, text, value if isinstance(value, dict) else None)


@dataclass(frozen=True, slots=True)
class Said:
    """One text message of ours."""

    at_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How the connection ended; `code` is None when it just broke off."""

    at_s: float
    code: int | None
    reason: str = ""


@dataclass(slots=True)
class SessionRecord:
    """One connection."""

    tag: str = "type"
    """The key that names a message's type: `type` in v3, `message_type` in v2."""
    heard: list[Heard] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    opened_at_s: float | None = None
    audio_started_at_s: float | None = None
    sent_ms: float = 0.0
    is_realtime: bool = True
    closing: Closing | None = None
    refusal: Refusal | None = None

    def type_of(self, heard: Heard) -> str | None:
        value = None if heard.document is None else heard.document.get(self.tag)
        return value if isinstance(value, str) else None

    def of_type(self, *names: str) -> Iterator[tuple[Heard, Document]]:
        """Messages of these types, in order."""
        for heard in self.heard:
            if heard.document is not None and self.type_of(heard) in names:
                yield heard, heard.document

    def first(self, name: str) -> tuple[Heard, Document] | None:
        return next(self.of_type(name), None)

    def said_at_s(self, what: str, *, nth: int = 0) -> float | None:
        times = [said.at_s for said in self.said if said.what == what]
        return times[nth] if nth < len(times) else None

    @property
    def error(self) -> Document | None:
        """The last message that says what went wrong."""
        errors = [h.document for h in self.heard if h.document is not None and "error" in h.document]
        return errors[-1] if errors else None

    def audio_delay_ms(self, heard: Heard, audio_ms: float) -> float | None:
        """How long after that moment of the audio was spoken the message came; None without a microphone's pace."""
        if self.audio_started_at_s is None or not self.is_realtime:
            return None
        return (heard.at_s - self.audio_started_at_s) * 1000 - audio_ms


def ending_of(record: SessionRecord) -> str:
    """How a connection ended, in words."""
    if record.refusal is not None:
        return f"{record.refusal.trouble.value}: {record.refusal.detail}"
    told = record.error
    text = f", saying {str(told['error'])[:120]!r}" if told is not None else ""
    if record.closing is None:
        return f"the connection stays open{text}"
    if record.closing.code is None:
        return f"the connection broke off{text}"
    return f"close code {record.closing.code}{text}"
