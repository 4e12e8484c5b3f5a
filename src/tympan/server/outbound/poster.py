"""Poster: one HTTP request, bounded in every way. Shell.

Rules:
- The address that is connected to is the one that was judged: a name is looked up here, each of its addresses is judged
  by `Reach`, and the connection goes to one that passed. A name that resolves differently a moment later gains nothing.
- No redirect is followed, no proxy is used and nothing is read from the environment, but for the certificates that the
  system trusts (OpenSSL's `SSL_CERT_FILE` among it).
- One deadline holds for the whole request, so that an answer that drips is no answer; a body is read up to a limit.
- No error text holds an address beyond its host, nor a header: both may hold credentials.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpcore

from tympan.core.errors import AddressRefused, Unreachable
from tympan.server.outbound.reach import Reach
from tympan.server.outbound.resolver import Resolver

_SIP_BYTES = 4_096
_LONGEST_REASON = 200
_NEXT_ADDRESS_S = 3.0
"""Time for an address to accept a connection, where another could be tried."""

_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.RemoteProtocolError,
    httpcore.UnsupportedProtocol,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The body holds no more than was asked for."""

    status: int
    retry_after: str | None
    body: bytes


class Poster:
    """Posts to http and https addresses within a reach.

    At most `max_idle` connections are kept for further requests. No more than `max_read_bytes` are read from one
    connection: where the other side isn't trusted, interim responses without end must not keep anybody busy.
    """

    def __init__(
        self,
        reach: Reach,
        *,
        max_connections: int,
        max_idle: int = 0,
        max_read_bytes: float = math.inf,
    ) -> None:
        self._backend = _JudgedBackend(reach, Resolver(), max_read_bytes)
        self._max_connections = max_connections
        self._max_idle = max_idle
        self._pool: httpcore.AsyncConnectionPool | None = None

    @property
    def connection_count(self) -> int:
        """Connections that are open now."""
        return 0 if self._pool is None else len(self._pool.connections)

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float, max_body_bytes: int = 0
    ) -> Answer:
        """Post a body; of the answer's body the first `max_body_bytes` are read, and nothing when that is 0.

        Raises:
            AddressRefused: the host has no address within reach.
            Unreachable: no connection, no whole answer in time, or no HTTP.
        """
        parts = urlsplit(url)
        every = {"Host": parts.netloc, "Accept-Encoding": "identity", **headers}
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(url.partition("#")[0], every, body, max_body_bytes)
        except TimeoutError:
            raise Unreachable(f"no whole answer within {timeout_s:g} s") from None
        except httpcore.LocalProtocolError:  # its text quotes the header
            raise Unreachable("the address or a header can't be sent as HTTP") from None
        except _FAILURES as error:
            raise Unreachable(f"{type(error).__name__}: {error}"[:_LONGEST_REASON]) from error

    async def close(self) -> None:
        """Close what is open. Idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes, max_body_bytes: int) -> Answer:
        pool = self._open_pool()
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with pool.stream("POST", url, headers=fields, content=body) as response:
            came = {name.lower(): value for name, value in response.headers}
            retry_after = came.get(b"retry-after", b"").decode("latin-1") or None
            read = b"" if max_body_bytes == 0 else await _read(response, max_body_bytes)
            return Answer(response.status, retry_after, read)

    def _open_pool(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=ssl.create_default_context(),
                max_connections=self._max_connections,
                max_keepalive_connections=self._max_idle,
                keepalive_expiry=30,
                network_backend=self._backend,
            )
        return self._pool


async def _read(response: httpcore.Response, max_bytes: int) -> bytes:
    body = bytearray()
    async for piece in response.aiter_stream():
        body += piece
        if len(body) >= max_bytes:
            break
    return bytes(body[:max_bytes])


class _JudgedBackend(httpcore.AsyncNetworkBackend):
    """Connects to judged addresses only."""

    def __init__(self, reach: Reach, resolver: Resolver, max_read_bytes: float) -> None:
        self._reach = reach
        self._resolver = resolver
        self._max_read_bytes = max_read_bytes
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._judged(host, port)
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._connect(address, port, _NEXT_ADDRESS_S)
        return await self._connect(last, port, timeout)

    async def _connect(self, address: str, port: int, timeout_s: float | None) -> _SippingStream:
        return _SippingStream(await self._plain.connect_tcp(address, port, timeout_s), self._max_read_bytes)

    async def _judged(self, host: str, port: int) -> list[str]:
        """The addresses of a host that are within reach, at least one."""
        reached: list[str] = []
        refusals: list[str] = []
        for address in await self._resolver.addresses(host, port):
            reason = self._reach.refusal(ip_address(address))
            if reason is None:
                reached.append(address)
            else:
                refusals.append(f"{address} is {reason}")
        if not reached:
            raise AddressRefused("; ".join(dict.fromkeys(refusals)) or "the host has no address")
        return reached


class _SippingStream(httpcore.AsyncNetworkStream):
    """A stream that reads little at once, so that nothing is parsed for long without a pause, and not too much."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, max_read_bytes: float) -> None:
        self._stream = stream
        self._left_bytes = max_read_bytes

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left_bytes <= 0:
            raise httpcore.ReadError("the answer is too long")
        piece = await self._stream.read(min(max_bytes, _SIP_BYTES), timeout)
        self._left_bytes -= len(piece)
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _SippingStream(stream, self._left_bytes)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
