"""The error tree. PURE: standard library only.

    TympanError
    ├── ProtocolError        the peer broke the protocol     → close code, shown to the peer
    │   ├── MalformedMessage     not JSON (NotJson), or not an object with a type
    │   ├── UnknownMessageType
    │   ├── BadParameter(name)   in the query string or in UpdateConfiguration
    │   ├── BadChunk             a binary message: ChunkTooLong or, strictly, ChunkTooShort
    │   ├── BadAudio             compressed audio that isn't what it should be, or too damaged
    │   └── AudioTooFast         more audio waits than the session may keep
    ├── SessionRefused       auth, limits, overload          → before the session begins
    │   ├── Unauthorized
    │   ├── TooManySessions      of the server, or (TooManySessionsOfKey) of a key
    │   ├── TooManyNewSessions   of a key, within a minute
    │   └── NotResumable         no such session is kept, or not from that message on
    ├── SessionExpired       inactivity, maximum length      → normal end, told why
    │   ├── Inactive
    │   └── MaxDurationExceeded
    ├── ServerStopping       the server shuts down         → told as the reason of the end
    ├── ReplayFull           no more can be kept           → told to the caller; nothing was dropped
    ├── ResumedElsewhere     another connection goes on    → told to the one that is replaced
    ├── EngineError(engine)  a model failed                  → server-error code; detail only in the log
    ├── ModelError           files missing or unreadable     → at start, with the command that fixes it
    │   └── ScriptError          a script can't be played
    ├── DownloadError        model files can't be fetched    → says from where and why
    ├── Unreachable          a receiver can't be asked       → tried again, or told in the log
    │   └── AddressRefused       its address isn't allowed
    ├── MediaError           an audio file can't be read     → says which and why
    ├── SettingsError        a setting is wrong              → at start, names the setting
    └── UsageError           the caller misused our API      → raised, never sent

Messages say what was expected, what came and what to do. A message of the first three branches may be
shown to the peer as it is, so it never holds a credential or a transcript.
"""

from __future__ import annotations

_LONGEST_REASON = 400


class TympanError(Exception):
    """Base of every error that tympan raises on purpose."""


class ProtocolError(TympanError):
    """The peer broke the protocol."""


class MalformedMessage(ProtocolError):
    """Not JSON, or JSON that is no object with a `type`."""


class NotJson(MalformedMessage):
    """A text message that is no JSON."""


class UnknownMessageType(ProtocolError):
    """A text message of a type that the protocol doesn't have."""

    def __init__(self, message_type: str) -> None:
        super().__init__(f"Invalid Message Type: {message_type}")
        self.message_type = message_type


class BadParameter(ProtocolError):
    """A parameter has a value that can't be used. A long reason is cut: it may quote all that a peer sent."""

    def __init__(self, name: str, reason: str) -> None:
        if len(reason) > _LONGEST_REASON:
            reason = reason[:_LONGEST_REASON] + "…"
        super().__init__(f"Invalid '{name}': {reason}")
        self.name = name
        self.reason = reason


class BadChunk(ProtocolError):
    """A binary message holds too much or too little audio."""


class ChunkTooShort(BadChunk):
    """Less audio in a message than the session takes, time and again."""


class ChunkTooLong(BadChunk):
    """More audio in one message than a session takes."""


class BadAudio(ProtocolError):
    """Compressed audio isn't what it is said to be, or too damaged to be heard."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid audio: {reason}")


class AudioTooFast(ProtocolError):
    """More audio is waiting than the session may keep."""


class SessionRefused(TympanError):
    """The session can't begin."""


class Unauthorized(SessionRefused):
    """No credential, or one that isn't valid."""


class TooManySessions(SessionRefused):
    """The server holds as many sessions as it may."""


class TooManySessionsOfKey(TooManySessions):
    """A key holds as many sessions as each may."""


class TooManyNewSessions(SessionRefused):
    """A key has begun as many sessions within a minute as each may."""


class NotResumable(SessionRefused):
    """No session is kept under this key, or what the client lacks isn't kept any more."""


class SessionExpired(TympanError):
    """The session ended by the clock."""


class Inactive(SessionExpired):
    """No message came for the time that the client asked for."""


class MaxDurationExceeded(SessionExpired):
    """The session reached its maximum length."""


class ServerStopping(TympanError):
    """The server shuts down."""


class ReplayFull(TympanError):
    """What was sent and isn't settled takes all the room; what didn't fit wasn't kept."""


class ResumedElsewhere(TympanError):
    """Another connection has resumed the session; this one is replaced."""


class EngineError(TympanError):
    """An engine failed; the peer is told only that the session was cancelled."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"engine {engine!r} failed: {reason}")
        self.engine = engine


class ModelError(TympanError):
    """Model files are missing or unreadable."""


class ScriptError(ModelError):
    """A script for the scripted engine can't be played; says where it is wrong and what was expected."""


class DownloadError(TympanError):
    """Model files can't be fetched: the other side can't be reached, or broke off."""


class Unreachable(TympanError):
    """Another service gives no answer; holds no credential."""


class AddressRefused(Unreachable):
    """It has no address that may be connected to."""


class MediaError(TympanError):
    """An audio file can't be read."""


class SettingsError(TympanError):
    """A setting has a value that can't be used."""


class UsageError(TympanError):
    """The caller misused our API."""
