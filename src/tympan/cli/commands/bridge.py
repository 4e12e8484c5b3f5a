"""`tympan bridge`: v2 clients in, any v3 service out, in the foreground of this process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tympan.cli.errors import needs_extra
from tympan.cli.listening import (
    ApiKeysOption,
    HostOption,
    LogLevelOption,
    MaxConnectionsOption,
    NoAuthOption,
    OpenOption,
    TlsCertOption,
    TlsKeyOption,
    run_in_foreground,
)

# What the bridge needs beyond the base install is imported on use.
# ruff: noqa: PLC0415


def bridge(
    upstream: Annotated[
        str | None, typer.Option(metavar="URL", help="The v3 service, like ws://HOST:PORT; also TYMPAN_UPSTREAM.")
    ] = None,
    upstream_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Key for the v3 service; also TYMPAN_UPSTREAM_KEY.")
    ] = None,
    host: HostOption = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 lets the system choose (default: 8001).")
    ] = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    api_key: ApiKeysOption = None,
    no_auth: NoAuthOption = False,
    i_know_this_is_open: OpenOption = False,
    max_sessions: Annotated[int | None, typer.Option(help="Sessions at once (default: 500).")] = None,
    max_connections: MaxConnectionsOption = None,
    log_level: LogLevelOption = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.", dir_okay=False)] = None,
) -> None:
    """Carry clients of the legacy protocol v2 over to a service that speaks v3.

    Old clients connect to /v2/realtime/ws here with a key of the bridge; the bridge speaks v3 to the service with
    the service's key, reconnects when it must, and keeps the audio. Settings may also come from the environment
    (TYMPAN_UPSTREAM_KEY=KEY) or a TOML file. Stops within 10 seconds of Ctrl+C or SIGTERM, with exit code 0;
    sessions that run tell their last words first.
    """
    given = {
        "upstream": upstream,
        "upstream_key": upstream_key,
        "host": host,
        "port": port,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "api_keys": tuple(api_key) if api_key else None,
        "no_auth": no_auth or None,
        "max_sessions": max_sessions,
        "max_connections": max_connections,
        "log_level": log_level,
    }
    flags = {name: value for name, value in given.items() if value is not None}
    with needs_extra("server"):
        from tympan.bridge.run import serve
        from tympan.bridge.settings import BridgeSettings, bridge_config
        from tympan.server.listening_settings import load
    settings = bridge_config(load(BridgeSettings, flags, config))
    run_in_foreground(settings, serve, ("/v2/realtime/ws",), is_open_confirmed=i_know_this_is_open)
