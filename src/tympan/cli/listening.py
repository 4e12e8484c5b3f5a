"""What commands that listen have in common: options, a key where none was given, who may reach an open port, and what
they say once they are ready."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tympan.core.errors import SettingsError

if TYPE_CHECKING:
    from tympan.bridge.config import BridgeConfig
    from tympan.server.config import AuthConfig, NetworkConfig, ServerConfig

_EVERY_ADDRESS = ("0.0.0.0", "::")
"""Hosts that mean all of a machine's addresses, and are none to connect to."""

C = TypeVar("C", "ServerConfig", "BridgeConfig")

Serve = Callable[[C, list[socket.socket], Callable[[], None]], Coroutine[Any, Any, None]]
"""Serves on bound sockets until a signal comes, and calls back once sessions may begin."""

HostOption = Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")]
TlsCertOption = Annotated[
    Path | None, typer.Option(help="Certificate with its chain, a PEM file: serve https and wss.", dir_okay=False)
]
TlsKeyOption = Annotated[
    Path | None, typer.Option(help="Private key of the certificate, unless in the same file.", dir_okay=False)
]
ApiKeysOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", help="A key that may connect; repeatable. Without any, one is made and printed once."),
]
NoAuthOption = Annotated[bool, typer.Option("--no-auth", help="Let everybody connect; only on a loopback address.")]
OpenOption = Annotated[
    bool, typer.Option("--i-know-this-is-open", help="Allow --no-auth on an address that others reach.")
]
MaxConnectionsOption = Annotated[int | None, typer.Option(help="TCP connections of all kinds at once (default: 512).")]
LogLevelOption = Annotated[str | None, typer.Option(help="debug, info, warning or error (default: info).")]
"""Options that such commands share."""


def run_in_foreground(config: C, serve: Serve[C], paths: Sequence[str], *, is_open_confirmed: bool) -> None:
    """Bind, say where, and serve until a signal comes. A key that was made up is told once, and kept nowhere. It needs
    the extra `server`.

    Raises:
        SettingsError: it would be open to others without that being confirmed, or it can't listen there.
    """
    from tympan.server.listening import bind  # noqa: PLC0415
    from tympan.server.logs import set_up_logging  # noqa: PLC0415

    if config.auth.is_open:
        _check_reach(config.network.host, is_confirmed=is_open_confirmed)
    set_up_logging(config.log_level)
    auth, made_key = _with_key(config.auth)
    sockets = bind(config.network.host, config.network.port)

    def tell() -> None:
        _tell_listening(config.network, auth, sockets, made_key, paths=paths)

    try:
        asyncio.run(serve(replace(config, auth=auth), sockets, tell))
    finally:
        for listening in sockets:
            listening.close()


def _with_key(auth: AuthConfig) -> tuple[AuthConfig, str | None]:
    """The same with a key made up where one is needed and none was given, and that key."""
    if auth.is_open or auth.api_keys:
        return auth, None
    key = secrets.token_urlsafe(24)
    return replace(auth, api_keys=(key,)), key


def _check_reach(host: str, *, is_confirmed: bool) -> None:
    """Refuse to listen without authentication where others reach it, unless that is confirmed.

    Raises:
        SettingsError: the host isn't this machine alone.
    """
    if not (is_confirmed or _is_loopback(host)):
        raise SettingsError(
            f"--no-auth would let everybody who reaches {host} connect; "
            "use --api-key, or confirm with --i-know-this-is-open"
        )


def _tell_listening(
    network: NetworkConfig,
    auth: AuthConfig,
    sockets: Sequence[socket.socket],
    made_key: str | None,
    *,
    paths: Sequence[str],
) -> None:
    """Say where to connect and how. A key that was made up is told here, once."""
    port = sockets[0].getsockname()[1]
    address = _address(network.host, port)
    secure = "" if network.tls is None else "s"
    if made_key is not None:
        _say(f"No API key was given. Made one for this run: {made_key}")
    _say(f"Listening on http{secure}://{address}")
    credential = "no key needed" if auth.is_open else "header Authorization: KEY"
    where = ""
    if network.host in _EVERY_ADDRESS:
        address, where = _address("HOST", port), ", HOST being any name or address of this machine"
    places = " or ".join(f"ws{secure}://{address}{path}" for path in paths)
    _say(f"Connect to {places}{where} ({credential}); press Ctrl+C to stop")


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
