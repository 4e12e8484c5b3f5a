"""The webhook of a session: where its finals are posted when it is over. PURE: standard library only.

Rules:
- The address is http or https with a plain host; a credential travels in the header that the client names, not in it.
- The header is one that HTTP has no use of its own for.
- The body holds the finals exactly as they were sent, one for each turn: the last of its messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import urlsplit

MAX_URL_CHARS = 2_048
MAX_HEADER_NAME_CHARS = 100
MAX_HEADER_VALUE_CHARS = 4_096

_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")  # RFC 3986, section 2
_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_VISIBLE = re.compile(r"[\x20-\x7e\t]*")

RESERVED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""Headers that the request has already, or that change how it is read."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a client wants its finals, and a header of its own, name and value. Both may hold credentials."""

    url: str = field(repr=False)
    header: tuple[str, str] | None = field(default=None, repr=False)


def url_objection(url: str) -> str | None:
    """Why nothing can be posted to this address; None when it may be tried, or when it is empty."""
    if not url:
        return None
    if not _URL.fullmatch(url):
        return "has a character that no address has; write it percent-encoded"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address; expected https://HOST/PATH"
    if parts.scheme not in ("http", "https"):
        return "expected an address that begins with https:// or http://"
    if "@" in parts.netloc:
        return "must hold no credential; it belongs in a header of its own"
    if port == 0:
        return "port 0 is not a port"
    return _host_objection(host, is_bracketed="[" in parts.netloc)


def header_name_objection(name: str) -> str | None:
    """Why a request can't have a header of this name, or None."""
    if not name:
        return None
    if not _TOKEN.fullmatch(name):
        return "is not the name of a header; expected letters, digits and hyphens"
    if name.lower() in RESERVED_HEADERS or name.lower().startswith("proxy-"):
        return "is a header that the request has a use of its own for; choose another"
    return None


def header_value_objection(value: str) -> str | None:
    """Why a header can't have this value, or None."""
    return None if _VISIBLE.fullmatch(value) else "expected ASCII characters without line breaks"


def webhook_body(session_id: str, finals: Sequence[str]) -> bytes:
    """What is posted; `finals` are the JSON texts of the turns, in order (protocol reference, section 13)."""
    return f'{{"session_id":"{session_id}","messages":[{",".join(finals)}]}}'.encode()


def _host_objection(host: str, *, is_bracketed: bool) -> str | None:
    """Other spellings of an IPv4 address (one number, hexadecimal, octal) are read differently by every program."""
    if is_bracketed:
        return None if _is_ipv6(host) else "the host in brackets is not an IPv6 address"
    if not _HOST_NAME.fullmatch(host):
        return "has no host; expected https://HOST/PATH"
    bare = host.removesuffix(".")
    if _NUMBER.fullmatch(bare.rpartition(".")[2]) and not _is_ipv4(bare):
        return "the host is not an IPv4 address; expected four decimal numbers"
    return None


def _is_ipv6(host: str) -> bool:
    """Without a zone, which would name an interface of this machine."""
    try:
        return IPv6Address(host).scope_id is None
    except AddressValueError:
        return False


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
