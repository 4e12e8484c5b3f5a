"""Where a server is: what a caller gives → the addresses to open, and what may be shown of them. PURE.

Rules: scheme and path may be left out; a query that is there is kept. What is shown never holds the query
(tokens travel in it) or a user's name and password.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from tympan.client.errors import RequestError
from tympan.wire.v3.client import ParameterValue, build_query

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss", "": "ws"}
_PATH = "/v3/ws"
_TOKEN_PATH = "/v3/token"
_MAX_ECHO_CHARS = 200


def session_address(url: str, parameters: Mapping[str, ParameterValue]) -> str:
    """The WebSocket address of a session. May hold a credential: use `shown_address` to tell of it.

    Raises:
        RequestError: no address of a server.
    """
    parts = _parts(url)
    try:
        query = "&".join(filter(None, [parts.query, build_query(parameters)]))
    except UnicodeEncodeError:
        raise RequestError("a parameter holds half of a surrogate pair, which is no text; was it cut apart?") from None
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, parts.path.rstrip("/") or _PATH, query, ""))


def token_address(url: str, query: Mapping[str, int]) -> str:
    """The HTTP address at which the same server makes temporary tokens.

    Raises:
        RequestError: no address of a server.
    """
    parts = _parts(url)
    scheme = "https" if _SCHEMES[parts.scheme] == "wss" else "http"
    return urlunsplit((scheme, parts.netloc, _TOKEN_PATH, urlencode(query), ""))


def shown_address(address: str) -> str:
    """An address as messages may show it: scheme, host, port and path."""
    # The query goes first: it may hold an address of its own.
    scheme, separator, rest = address.partition("?")[0].partition("#")[0].rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def is_encrypted(address: str) -> bool:
    """TLS is spoken there."""
    return address.startswith(("wss:", "https:"))


def is_this_machine(host: str) -> bool:
    """A loopback address, or the name that is one everywhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url if "://" in url else f"ws://{url}")
        is_usable = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable:
        raise RequestError(
            f"{shown_address(url)[:_MAX_ECHO_CHARS]!r} is no address of a server; expected something like ws://localhost:8000"
        )
    return parts
