"""What a connection needs of the protocol version that it speaks. PURE: standard library and `core` only.

`v2/server.py` and `v3/server.py` each have a class of this shape; whoever holds a connection knows no more of
them than is here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tympan.core.effects import Control
from tympan.core.events import Event


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio that came in a text message; the bytes are what a binary message would hold."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The client lives; it asks for nothing."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The client has received that many messages of the session; only where it may resume. It isn't counted."""

    messages: int


ClientInput = Control | Audio | KeepAlive | Acknowledged
"""What a client's text message asks for."""


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """A client wants to go on with a kept session; `messages_received` of its messages have come before."""

    key: str = field(repr=False)
    messages_received: int = 0


@dataclass(frozen=True, slots=True)
class Farewell:
    """How to leave: send the messages, then close with the code and reason."""

    messages: tuple[str, ...]
    code: int
    reason: str


class ServerProtocol(Protocol):
    """The server's side of one connection."""

    def receive_text(self, text: str) -> ClientInput:
        """What a text message asks for.

        Raises:
            ProtocolError: the message can't be used; the connection ends (see `farewell`).
        """

    def messages_for(self, event: Event) -> tuple[str, ...]:
        """The text messages that tell a client of an event, in order; often none."""

    def farewell(self, error: Exception | None) -> Farewell:
        """How a session that has begun ends; None means gracefully, and all was told by `messages_for`."""
