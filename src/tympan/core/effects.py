"""What the session asks its shell to do, in the imperative; performed in order. PURE."""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.config import ConfigUpdate
from tympan.core.errors import TympanError
from tympan.core.events import Event


@dataclass(frozen=True, slots=True)
class ForceEndpoint:
    """End the open turn, if it has words."""


@dataclass(frozen=True, slots=True)
class Finish:
    """No more audio will come: judge the rest, end the open turn."""


Control = ForceEndpoint | Finish | ConfigUpdate
"""What travels in order with the audio and acts when all audio before it has been judged."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell the client."""

    event: Event


@dataclass(frozen=True, slots=True)
class Feed:
    """Hand audio to the engine: one message as the client sent it."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """Queue a control behind the audio fed so far."""

    control: Control


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection; `error` is None after a graceful end."""

    error: TympanError | None


Effect = Emit | Feed | Mark | Close
