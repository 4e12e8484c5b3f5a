"""One WebSocket connection that speaks v3: a thin shell of `websockets` round `wire.v3.client`. No continuity.

    connection = await open_connection(Target(url), {"sample_rate": 16000}, api_key=key)
    try:
        begin = await connection.receive_first()
    finally:
        await connection.close()

Rules:
- Whatever goes wrong is a ClientError with its context; no text, context or log holds a credential.
- Each phase has its own timeout.
- Messages of types that this version doesn't know are told as such; who receives passes them over, as the
  protocol asks.
- Audio doesn't compress: no compression is offered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)

from tympan.client.address import is_encrypted, session_address, shown_address
from tympan.client.errors import (
    AuthError,
    ClientError,
    ErrorContext,
    NetworkError,
    Phase,
    ProtocolViolation,
    RequestError,
    ServerError,
    SilentServer,
    error_of_code,
)
from tympan.client.proxies import websocket_proxy
from tympan.client.trust import Trust, check_key, tls_context
from tympan.client.unreachable import unreachable
from tympan.core.errors import ProtocolError
from tympan.wire.v3.client import ParameterValue, decode_message, encode_message
from tympan.wire.v3.messages import (
    LATEST_API_VERSION,
    Begin,
    ClientMessage,
    Error,
    Resumed,
    ServerMessage,
    UnknownServerMessage,
)

ABNORMAL_CLOSURE = 1006
"""What a lost connection counts as; never sent by anybody."""

_NOT_READY = range(500, 600)

# websockets tells request headers, and with them the key, at DEBUG level.
_socket_logger = logging.getLogger("tympan.client.socket")
_socket_logger.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase of a connection may take, in seconds."""

    open_s: float = 10
    """TCP, TLS, proxy and WebSocket handshake."""
    begin_s: float = 10
    """From there to the first message."""
    send_s: float = 30
    """For the server to take what is sent."""
    terminate_s: float = 5
    """Longest silence of the server after Terminate, on top of what the audio on its way may take."""
    close_s: float = 2
    """For the close itself; what matters was said before it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and how; the same for every connection of a session."""

    url: str = field(repr=False)  # may hold a token, as a proxy's may hold a password
    trust: Trust = None
    proxy: str | Literal[True] | None = field(default=True, repr=False)
    timeouts: Timeouts = Timeouts()


async def open_connection(
    target: Target, parameters: Mapping[str, ParameterValue], *, api_key: str | None = None, token: str | None = None
) -> Connection:
    """Open a connection. The server's first message is still to be received.

    `token` is a temporary token; it travels in the query. `proxy` True means what the environment says
    (`https_proxy`, `no_proxy` and so on); to this machine, none.

    Raises:
        ClientError: no server there, or it refuses the connection.
    """
    credential = {} if token is None else {"token": token}
    address = session_address(target.url, {**parameters, **credential})
    context = ErrorContext(shown_address(address), Phase.OPENING)
    if api_key is not None:
        check_key(api_key, context)
    headers = {"AssemblyAI-Version": LATEST_API_VERSION} | ({} if api_key is None else {"Authorization": api_key})
    tls: dict[str, Any] = {"ssl": tls_context(target.trust)} if is_encrypted(address) else {}
    proxy = None
    try:
        proxy = websocket_proxy(address) if target.proxy is True else target.proxy
        socket = await open_websocket(
            address,
            additional_headers=headers,
            compression=None,
            proxy=proxy,
            open_timeout=target.timeouts.open_s,
            close_timeout=target.timeouts.close_s,
            logger=_socket_logger,
            **tls,
        )
    except (OSError, WebSocketException, ImportError, EOFError, ValueError) as error:
        # The addresses in websockets' own texts may hold a token or a password.
        raise _refused(error, context, proxy) from (None if isinstance(error, InvalidURI | InvalidProxy) else error)
    return Connection(socket, context, target.timeouts)


class Connection:
    """An open connection. One task may send while another receives."""

    def __init__(self, socket: ClientConnection, context: ErrorContext, timeouts: Timeouts) -> None:
        self._socket = socket
        self.timeouts = timeouts
        self.context = replace(context, phase=Phase.BEGINNING)

    async def receive_first(self) -> Begin | Resumed:
        """How the session begins or goes on.

        Raises:
            ClientError: the server refuses the session, or says nothing or something else.
        """
        try:
            async with asyncio.timeout(self.timeouts.begin_s):
                message = await self.receive()
        except TimeoutError as error:
            raise SilentServer(
                f"{self.context.address} takes the connection, but no session begins within "
                f"{self.timeouts.begin_s:g} s",
                self.context,
            ) from error
        if not isinstance(message, Begin | Resumed):
            raise ProtocolViolation(f"the server began with {type(message).__name__}, expected Begin", self.context)
        self.context = replace(self.context, phase=Phase.TALKING, session_id=message.id)
        return message

    async def receive(self) -> ServerMessage | UnknownServerMessage:
        """The next message.

        Raises:
            ClientError: the connection was lost, or the server said or showed why it ends.
        """
        try:
            message = decode_message(await self._socket.recv())
        except ConnectionClosed as error:
            raise self._closed(error) from error
        except ProtocolError as error:
            raise ProtocolViolation(f"the server broke the protocol: {error}", self.context) from error
        if isinstance(message, Error):
            code = message.error_code
            context = replace(self.context, close_code=code)
            raise ServerError(message.error, context) if code is None else error_of_code(code, message.error, context)
        return message

    async def send_audio(self, payload: bytes) -> None:
        """Send one binary message.

        Raises:
            NetworkError: the connection has ended; receiving tells why. SilentServer: the server takes nothing.
        """
        await self._send(payload)

    async def send(self, message: ClientMessage) -> None:
        """Send a text message. Raises as `send_audio` does."""
        await self._send(encode_message(message))

    async def delivered(self) -> None:
        """Return once the server has received all that was sent so far: it answers a ping, and in order.

        Raises:
            NetworkError: the connection has ended; receiving tells why.
        """
        try:
            await (await self._socket.ping())
        except ConnectionClosed as error:
            raise NetworkError("the session has ended", self.context) from error

    async def close(self, timeout_s: float | None = None) -> None:
        """Close with code 1000, within that time or `Timeouts.close_s`; then cut. Idempotent."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.timeouts.close_s if timeout_s is None else timeout_s):
                    await self._socket.close()
        finally:
            self._socket.transport.abort()
            await self._socket.wait_closed()

    def enter(self, phase: Phase) -> None:
        """Errors from now on happen in this phase."""
        self.context = replace(self.context, phase=phase)

    async def _send(self, payload: bytes | str) -> None:
        try:
            async with asyncio.timeout(self.timeouts.send_s):
                await self._socket.send(payload)
        except ConnectionClosed as error:
            raise NetworkError("the session has ended", self.context) from error
        except TimeoutError as error:
            raise SilentServer(
                f"{self.context.address} takes no audio for {self.timeouts.send_s:g} s", self.context
            ) from error

    def _closed(self, error: ConnectionClosed) -> ClientError:
        if error.rcvd is None:
            context = replace(self.context, close_code=ABNORMAL_CLOSURE)
            return NetworkError("the connection to the server was lost", context)
        code = error.rcvd.code
        text = error.rcvd.reason or f"the server ended with code {code}"
        return error_of_code(code, text, replace(self.context, close_code=code))


def _refused(error: Exception, context: ErrorContext, proxy: str | None) -> ClientError:
    where = context.address
    match error:
        case InvalidURI():
            return RequestError(f"{where!r} is no address of a server", context)
        case InvalidStatus(response=response):
            return _refused_by_status(response.status_code, replace(context, http_status=response.status_code))
        case InvalidProxy(proxy=wrong):
            return NetworkError(f"cannot reach {where}: {shown_address(wrong)!r} is no address of a proxy", context)
        case ProxyError():
            return NetworkError(f"cannot reach {where} through the proxy: {error}", context)
        case ImportError():
            return NetworkError(
                f"cannot reach {where}: a SOCKS proxy is set, and needs a package: pip install python-socks", context
            )
        case _:
            return unreachable(error, context, proxy)


def _refused_by_status(status: int, context: ErrorContext) -> ClientError:
    where = context.address
    if status in (401, 403):
        return AuthError(f"{where} refuses the credential (HTTP {status})", context)
    if status in _NOT_READY:
        return ServerError(f"{where} is not ready (HTTP {status})", context)
    return NetworkError(f"no streaming service at {where}: HTTP {status}; check host, port and path", context)
