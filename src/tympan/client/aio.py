"""Asynchronous v3 client: a thin shell of `websockets` round `wire.v3.client`.

    async with connect(url, api_key=key, parameters={"sample_rate": 16000}) as session:
        await session.send_audio(chunk)
        await session.terminate()
        async for message in session:
            ...

Rules: the first message is `Begin`, kept as `session.begin`; iteration gives the others and stops after
`Termination`. Whatever goes wrong is a ClientError. Messages of types that this version doesn't know are
passed over, as the protocol asks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from tympan.client.address import session_address
from tympan.client.errors import (
    AuthError,
    ClientError,
    NetworkError,
    RequestError,
    ServerError,
    error_of_code,
)
from tympan.core.errors import ProtocolError
from tympan.wire.v3.client import ParameterValue, decode_message, encode_message
from tympan.wire.v3.messages import (
    Begin,
    ClientMessage,
    Error,
    ServerMessage,
    Terminate,
    Termination,
    UnknownServerMessage,
)

_CLOSE_TIMEOUT_S = 2.0
"""What matters was said before the close; a server that doesn't answer it holds nobody up."""


@asynccontextmanager
async def connect(
    url: str,
    *,
    api_key: str | None = None,
    parameters: Mapping[str, ParameterValue] | None = None,
    open_timeout_s: float = 10,
) -> AsyncIterator[Session]:
    """Open a session and wait for its `Begin`.

    Raises:
        ClientError: no server there, or it refuses the session.
    """
    address = session_address(url, parameters or {})
    headers = {} if api_key is None else {"Authorization": api_key}
    try:
        connection = await open_websocket(
            address, additional_headers=headers, open_timeout=open_timeout_s, close_timeout=_CLOSE_TIMEOUT_S
        )
    except (OSError, WebSocketException) as error:
        raise _refused(url, error) from error
    async with connection:
        yield await Session.begun(connection)


class Session:
    """An open session. One task may send while another iterates."""

    def __init__(self, connection: ClientConnection, begin: Begin) -> None:
        self._connection = connection
        self.begin = begin

    @classmethod
    async def begun(cls, connection: ClientConnection) -> Session:
        """Wait for `Begin`."""
        match await _receive(connection):
            case Begin() as begin:
                return cls(connection, begin)
            case other:
                raise ServerError(f"the server began with {type(other).__name__}, expected Begin")

    async def send_audio(self, payload: bytes) -> None:
        """Send one chunk. Waits while the server is slow to read.

        Raises:
            NetworkError: the session has ended; iterating tells why.
        """
        await self._send(payload)

    async def send(self, message: ClientMessage) -> None:
        """Send a control message. Raises NetworkError as `send_audio` does."""
        await self._send(encode_message(message))

    async def terminate(self) -> None:
        """No more audio: the server ends the open turn, says `Termination`, and iteration stops."""
        await self.send(Terminate())

    async def __aiter__(self) -> AsyncIterator[ServerMessage]:
        """Messages after `Begin`, up to and with `Termination`.

        Raises:
            ClientError: the session ended in any other way.
        """
        while True:
            message = await _receive(self._connection)
            if not isinstance(message, UnknownServerMessage):
                yield message
            if isinstance(message, Termination):
                return

    async def _send(self, payload: bytes | str) -> None:
        try:
            await self._connection.send(payload)
        except ConnectionClosed as error:
            raise NetworkError("the session has ended") from error


async def _receive(connection: ClientConnection) -> ServerMessage | UnknownServerMessage:
    try:
        message = decode_message(await connection.recv())
    except ConnectionClosed as error:
        raise _closed(error) from error
    except ProtocolError as error:
        raise ServerError(f"the server broke the protocol: {error}") from error
    if isinstance(message, Error):
        code = message.error_code
        raise ServerError(message.error) if code is None else error_of_code(code, message.error)
    return message


def _closed(error: ConnectionClosed) -> ClientError:
    if error.rcvd is None:
        return NetworkError("the connection to the server was lost")
    return error_of_code(error.rcvd.code, error.rcvd.reason or f"the server ended with code {error.rcvd.code}")


def _refused(url: str, error: Exception) -> ClientError:
    match error:
        case InvalidURI():
            return RequestError(f"{url!r} is no address of a server")
        case InvalidStatus(response=response) if response.status_code in (401, 403):
            return AuthError(f"{url} refuses the credential (HTTP {response.status_code})")
        case InvalidStatus(response=response) if response.status_code == 503:
            return ServerError(f"{url} is not ready (HTTP 503)")
        case InvalidStatus(response=response):
            return NetworkError(f"no streaming service at {url}: HTTP {response.status_code}")
        case TimeoutError():
            return NetworkError(f"{url} does not answer")
        case _:
            return NetworkError(f"cannot connect to {url}: {error}")
