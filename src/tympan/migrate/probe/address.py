"""What the user named → where to connect, and with which protocol. PURE: standard library and `core` only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tympan.core.errors import UsageError

_SECURE = {"ws": False, "http": False, "wss": True, "https": True}
_PORTS = {False: 80, True: 443}
_CREDENTIALS = ("token",)
_MAX_ECHO_CHARS = 200


class Protocol(StrEnum):
    """Which protocol is spoken there."""

    V3 = "v3"
    V2 = "v2"

    @property
    def path(self) -> str:
        return {Protocol.V3: "/v3/ws", Protocol.V2: "/v2/realtime/ws"}[self]


@dataclass(frozen=True, slots=True)
class Address:
    """One endpoint."""

    host: str
    port: int
    is_tls: bool
    path: str
    query: tuple[tuple[str, str], ...]
    protocol: Protocol

    @staticmethod
    def parse(text: str, protocol: Protocol | None = None) -> Address:
        """Read a URL, or a host with or without port. The path tells the protocol unless one is given.

        Raises:
            UsageError: no address of a server.
        """
        shown = text.partition("?")[0].rpartition("@")[2][:_MAX_ECHO_CHARS]  # nothing that may be secret
        wrong = UsageError(f"{shown!r} is no address of a server; expected something like ws://localhost:8000")
        try:
            parts = urlsplit(text if "://" in text else f"ws://{text}")
            host, port = parts.hostname or "", parts.port
            host.encode("idna")  # what the look-up will do
        except ValueError:
            raise wrong from None
        if parts.scheme not in _SECURE or port == 0 or not host or any(map(str.isspace, host)):
            raise wrong
        if parts.username is not None:
            raise UsageError("an address with a user name can't be used: give the key with --api-key")
        is_tls = _SECURE[parts.scheme]
        path = parts.path.rstrip("/")
        spoken = protocol or (Protocol.V2 if "/v2/" in path else Protocol.V3)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return Address(host, port or _PORTS[is_tls], is_tls, path or spoken.path, query, spoken)

    @property
    def origin(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def has_credential(self) -> bool:
        """Whether the query holds a token."""
        return any(name in _CREDENTIALS for name, _ in self.query)

    @property
    def shown(self) -> str:
        """The address without anything secret."""
        return urlunsplit(("wss" if self.is_tls else "ws", self.origin, self.path, "", ""))

    def websocket(self, parameters: Mapping[str, str], *, is_anonymous: bool = False) -> str:
        """The address of a session. What a check needs wins over the user's query, and audio is always PCM16.

        `is_anonymous` leaves out credentials that the user's query holds.
        """
        left_out = {*parameters, "encoding", *(_CREDENTIALS if is_anonymous else ())}
        given = {name: value for name, value in self.query if name not in left_out}
        query = urlencode({**parameters, **given})
        return urlunsplit(("wss" if self.is_tls else "ws", self.origin, self.path, query, ""))

    def http(self, path: str) -> str:
        """The address of something beside the socket."""
        return urlunsplit(("https" if self.is_tls else "http", self.origin, path, "", ""))
