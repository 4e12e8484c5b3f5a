"""What can go wrong between a client and a server. May import core and wire.

    ClientError
    ├── NetworkError      no connection, or it was lost
    ├── AuthError         the server doesn't know the credential
    ├── RequestError      the server can't use a parameter, a message or the pace of the audio
    ├── ServerError       the server is full, failed, or ended the session
    └── AudioDeviceError  the microphone is missing, busy, forbidden or was unplugged

Which close code means what stands in `wire.close_codes` alone: the same table is read backwards here.
"""

from __future__ import annotations

from tympan.core.errors import ProtocolError, TympanError, Unauthorized
from tympan.wire.close_codes import V3_RULES


class ClientError(TympanError):
    """Base of what a client can meet."""


class NetworkError(ClientError):
    """No connection to the server, or it was lost."""


class AuthError(ClientError):
    """The server doesn't accept the credential."""


class RequestError(ClientError):
    """The server refuses what was asked or sent."""


class ServerError(ClientError):
    """The server can't serve, or it ended the session."""


class AudioDeviceError(ClientError):
    """The microphone is missing, busy, forbidden, or was unplugged."""


def error_of_code(code: int, text: str) -> ClientError:
    """What a session that ended with this close code and text means for the client."""
    meant = next((rule.error_type for rule in V3_RULES if rule.code == code), TympanError)
    if issubclass(meant, Unauthorized):
        return AuthError(text)
    if issubclass(meant, ProtocolError):
        return RequestError(text)
    return ServerError(text)
