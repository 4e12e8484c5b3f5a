"""What commands that listen have in common: a key where none was given, who may reach an open port, and what
they say once they are ready."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tympan.core.errors import SettingsError

if TYPE_CHECKING:
    from tympan.server.config import AuthConfig, NetworkConfig


def with_key(auth: AuthConfig) -> tuple[AuthConfig, str | None]:
    """The same with a key made up where one is needed and none was given, and that key."""
    if auth.is_open or auth.api_keys:
        return auth, None
    key = secrets.token_urlsafe(24)
    return replace(auth, api_keys=(key,)), key


def check_reach(host: str, *, is_confirmed: bool) -> None:
    """Refuse to listen without authentication where others reach it, unless that is confirmed.

    Raises:
        SettingsError: the host isn't this machine alone.
    """
    if not (is_confirmed or _is_loopback(host)):
        raise SettingsError(
            f"--no-auth would let everybody who reaches {host} connect; "
            "use --api-key, or confirm with --i-know-this-is-open"
        )


def tell_listening(
    network: NetworkConfig,
    auth: AuthConfig,
    sockets: Sequence[socket.socket],
    made_key: str | None,
    *,
    paths: Sequence[str],
) -> None:
    """Say where to connect and how. A key that was made up is told here, once."""
    address = _address(network.host, sockets[0].getsockname()[1])
    secure = "" if network.tls is None else "s"
    if made_key is not None:
        _say(f"No API key was given. Made one for this run: {made_key}")
    _say(f"Listening on http{secure}://{address}")
    credential = "no key needed" if auth.is_open else "header Authorization: KEY"
    places = " or ".join(f"ws{secure}://{address}{path}" for path in paths)
    _say(f"Connect to {places} ({credential}); press Ctrl+C to stop")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
