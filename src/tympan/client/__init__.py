"""The client library: stream audio to any service that speaks v3, and never lose a word of it.

    from tympan.client import SessionParameters, Turn, connect

    async with connect("ws://127.0.0.1:8000", api_key="KEY", parameters=SessionParameters()) as session:
        ...

`tympan.client.sync` has the same without `async`, `tympan.client.callbacks` a client in the style of the official
SDK. Names are imported when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tympan.client.aio import connect
    from tympan.client.audio_source import AudioSource
    from tympan.client.connection import Timeouts
    from tympan.client.errors import (
        AudioDeviceError,
        AuthError,
        BufferFull,
        CallbackError,
        ClientError,
        ErrorContext,
        NetworkError,
        ProtocolViolation,
        RequestError,
        ServerError,
        SessionLost,
        SessionOver,
        SilentServer,
        TlsError,
    )
    from tympan.client.events import Continuation, Event, Reconnected, Reconnecting
    from tympan.client.microphone import AudioLoss, Microphone
    from tympan.client.paced_source import bytes_source, file_source
    from tympan.client.parameters import SessionParameters
    from tympan.client.pipe_source import PipeSource
    from tympan.client.portaudio import input_devices, open_microphone
    from tympan.client.raw_audio import RawFormat
    from tympan.client.retry import ReconnectPolicy
    from tympan.client.session import Session
    from tympan.client.tokens import mint_token
    from tympan.wire.v3.messages import (
        Begin,
        Heartbeat,
        LLMGatewayResponse,
        ServerWarning,
        Silence,
        SpeechStarted,
        Termination,
        Turn,
        UpdateConfiguration,
        Word,
    )

_MODULES = {
    "aio": ("connect",),
    "audio_source": ("AudioSource",),
    "connection": ("Timeouts",),
    "errors": (
        "AudioDeviceError",
        "AuthError",
        "BufferFull",
        "CallbackError",
        "ClientError",
        "ErrorContext",
        "NetworkError",
        "ProtocolViolation",
        "RequestError",
        "ServerError",
        "SessionLost",
        "SessionOver",
        "SilentServer",
        "TlsError",
    ),
    "events": ("Continuation", "Event", "Reconnected", "Reconnecting"),
    "microphone": ("AudioLoss", "Microphone"),
    "paced_source": ("bytes_source", "file_source"),
    "parameters": ("SessionParameters",),
    "pipe_source": ("PipeSource",),
    "portaudio": ("input_devices", "open_microphone"),
    "raw_audio": ("RawFormat",),
    "retry": ("ReconnectPolicy",),
    "session": ("Session",),
    "tokens": ("mint_token",),
}
_MESSAGES = (
    "Begin",
    "Heartbeat",
    "LLMGatewayResponse",
    "ServerWarning",
    "Silence",
    "SpeechStarted",
    "Termination",
    "Turn",
    "UpdateConfiguration",
    "Word",
)

_PLACES = {name: f"tympan.client.{module}" for module, names in _MODULES.items() for name in names} | dict.fromkeys(
    _MESSAGES, "tympan.wire.v3.messages"
)

__all__ = [
    "AudioDeviceError",
    "AudioLoss",
    "AudioSource",
    "AuthError",
    "Begin",
    "BufferFull",
    "CallbackError",
    "ClientError",
    "Continuation",
    "ErrorContext",
    "Event",
    "Heartbeat",
    "LLMGatewayResponse",
    "Microphone",
    "NetworkError",
    "PipeSource",
    "ProtocolViolation",
    "RawFormat",
    "ReconnectPolicy",
    "Reconnected",
    "Reconnecting",
    "RequestError",
    "ServerError",
    "ServerWarning",
    "Session",
    "SessionLost",
    "SessionOver",
    "SessionParameters",
    "Silence",
    "SilentServer",
    "SpeechStarted",
    "Termination",
    "Timeouts",
    "TlsError",
    "Turn",
    "UpdateConfiguration",
    "Word",
    "bytes_source",
    "connect",
    "file_source",
    "input_devices",
    "mint_token",
    "open_microphone",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
