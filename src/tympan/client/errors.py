"""What can go wrong between a client and a server. May import core and wire.

    ClientError
    ├── NetworkError        no connection, or it was lost
    │   ├── TlsError            the server's certificate isn't trusted, or no TLS is spoken
    │   ├── SilentServer        the server takes longer than the caller allows
    │   └── SessionOver         the session has ended or is ending, so nothing more can be sent
    ├── AuthError           the server doesn't know the credential
    ├── RequestError        the server can't use a parameter, a message or the pace of the audio
    ├── ServerError         the server is full, failed, or ended the session
    │   ├── ProtocolViolation   what the server says isn't the protocol
    │   └── SessionLost         the server doesn't keep the session to resume any more
    ├── AudioDeviceError    the microphone is missing, busy, forbidden or was unplugged
    ├── BufferFull          no more audio can be kept for a connection that is down
    └── CallbackError       a callback of the caller raised; the cause is chained

Every error has a `context`: where, in which phase, in which session and with which close code it happened.
Neither texts nor contexts hold a credential. Which close code means what stands in `wire.close_codes` alone:
the same table is read backwards here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from tympan.core.errors import NotResumable, ProtocolError, TympanError, Unauthorized
from tympan.wire.close_codes import TOO_MANY, V3_RULES


class Phase(StrEnum):
    """Where in a connection's life an error happened."""

    OPENING = "opening the connection"
    BEGINNING = "waiting for the session to begin"
    TALKING = "in the session"
    ENDING = "waiting for the last words"


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What is known about where an error happened; None for what isn't known or doesn't apply."""

    address: str | None = None
    """Of the server, without query and credentials."""
    phase: Phase | None = None
    session_id: str | None = None
    close_code: int | None = None
    http_status: int | None = None

    def __str__(self) -> str:
        known = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{name}: {value}" for name, value in known if value is not None)


class ClientError(TympanError):
    """Base of what a client can meet."""

    def __init__(self, text: str, context: ErrorContext | None = None) -> None:
        super().__init__(text)
        self.context = context or ErrorContext()


class NetworkError(ClientError):
    """No connection to the server, or it was lost."""


class TlsError(NetworkError):
    """The server's certificate isn't trusted, or the other side doesn't speak TLS."""


class SilentServer(NetworkError):
    """The server neither answers nor takes anything for longer than the caller allows."""


class SessionOver(NetworkError):
    """The session has ended, or was told to: nothing more can be sent. Iterating tells how it ended."""


class AuthError(ClientError):
    """The server doesn't accept the credential."""


class RequestError(ClientError):
    """The server refuses what was asked or sent."""


class ServerError(ClientError):
    """The server can't serve, or it ended the session."""


class ProtocolViolation(ServerError):
    """What the server says isn't the protocol."""


class SessionLost(ServerError):
    """The server doesn't keep the session to resume any more; its audio can still be sent to a new one."""


class AudioDeviceError(ClientError):
    """The microphone is missing, busy, forbidden, or was unplugged."""


class BufferFull(ClientError):
    """As much as may be kept waits for a connection; none of it is dropped, and no more is taken.

    `taken_bytes`: so much of what was given just now was taken before; 0 for a chunk of up to a second.
    """

    taken_bytes = 0


class CallbackError(ClientError):
    """A callback of the caller raised; its exception is the cause. The session went on."""


def error_of_code(code: int, text: str, context: ErrorContext | None = None) -> ClientError:
    """What a session that ended with this close code and text means for the client."""
    meant = next((rule.error_type for rule in V3_RULES if rule.code == code), TympanError)
    if issubclass(meant, Unauthorized) and TOO_MANY not in text:
        return AuthError(text, context)
    if issubclass(meant, NotResumable):
        return SessionLost(text, context)
    if issubclass(meant, ProtocolError):
        return RequestError(text, context)
    return ServerError(text, context)
