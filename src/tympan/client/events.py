"""What a session tells besides the server's messages: how the connection fares. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tympan.client.errors import ClientError
from tympan.wire.v3.messages import (
    Heartbeat,
    LLMGatewayResponse,
    ServerWarning,
    Silence,
    SpeechStarted,
    Termination,
    Turn,
)


class Continuation(StrEnum):
    """How a session went on after its connection was lost."""

    RESUMED = "resumed"
    """The server had kept it: exact."""
    REPLAYED = "replayed"
    """A new session was given the audio since the last final word: at most one uncertain word at the seam."""


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection was lost, or an attempt failed; the next attempt is made in `delay_s`."""

    attempt: int
    """1 for the first attempt since the connection was lost."""
    delay_s: float
    error: ClientError
    """Why."""


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The session goes on. Turn orders and times continue."""

    how: Continuation
    session_id: str
    """As the server calls it now."""
    resent_ms: int
    """Audio from here on that the server is given (again); 0 for compressed audio, whose length isn't known."""
    missing_ms: int = 0
    """Audio without a final word that had grown too old to be kept; 0 but after a very long silence."""


Event = (
    Turn
    | SpeechStarted
    | Heartbeat
    | Silence
    | LLMGatewayResponse
    | ServerWarning
    | Termination
    | Reconnecting
    | Reconnected
)
"""What iterating a session yields."""
