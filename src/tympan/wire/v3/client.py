"""The client's side of v3, the mirror of `server.py`. PURE: standard library and `core` only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from tympan.core.errors import UnknownMessageType
from tympan.wire.v3.messages import (
    RESUMABLE_CLIENT_CODEC,
    SERVER_CODEC,
    ClientMessage,
    ServerMessage,
    UnknownServerMessage,
)

ParameterValue = bool | int | float | str | Sequence[str] | None


def build_query(values: Mapping[str, ParameterValue]) -> str:
    """A query string of connection parameters; None leaves one out, lists become JSON arrays."""
    return urlencode({name: _spelt(value) for name, value in values.items() if value is not None})


def encode_message(message: ClientMessage) -> str:
    """The text message that says this to a server."""
    return RESUMABLE_CLIENT_CODEC.encode(message)


def decode_message(text: str | bytes) -> ServerMessage | UnknownServerMessage:
    """What a server's text message says; types that this version doesn't know are no error.

    Raises:
        ProtocolError: the server broke the protocol.
    """
    try:
        return SERVER_CODEC.decode(text)
    except UnknownMessageType as error:
        return UnknownServerMessage(error.message_type)


def _spelt(value: ParameterValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() | str() | None:
            return str(value)
        case _:
            return json.dumps(list(value))
