"""`tympan serve`: run the service in the foreground of this process."""

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

# What the server needs beyond the base install is imported on use.
# ruff: noqa: PLC0415


def serve(
    host: HostOption = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 lets the system choose (default: 8000).")
    ] = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    api_key: ApiKeysOption = None,
    no_auth: NoAuthOption = False,
    i_know_this_is_open: OpenOption = False,
    engine: Annotated[str | None, typer.Option(help="Engine that listens (default: moonshine).")] = None,
    model: Annotated[str | None, typer.Option(help="Model of the engine, by name or path.")] = None,
    smart_turn: Annotated[
        str | None,
        typer.Option(
            help="Second model for the end of turns: a path, or 'pulled' after 'tympan models pull smart-turn'."
        ),
    ] = None,
    script: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Be a test double: play this script, TOML or JSON, whatever the audio holds.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Engine threads (default: one a core).")] = None,
    max_sessions: Annotated[int | None, typer.Option(help="Sessions at once (default: 8 a core).")] = None,
    max_sessions_per_key: Annotated[
        int | None, typer.Option(help="Sessions of one key at once (default: no limit).", show_default=False)
    ] = None,
    max_new_sessions_per_minute: Annotated[
        int | None,
        typer.Option(help="Sessions that one key may begin in a minute (default: no limit).", show_default=False),
    ] = None,
    max_session_s: Annotated[int | None, typer.Option(help="Longest session (default: 10800).")] = None,
    max_backlog_s: Annotated[
        float | None, typer.Option(help="Audio that may wait in one session (default: 300).")
    ] = None,
    resume_window_s: Annotated[
        float | None,
        typer.Option(
            help="Keep the session of a client that was cut off for this long, if it asked; 0: never (default: 30)."
        ),
    ] = None,
    max_message_bytes: Annotated[int | None, typer.Option(help="Longest WebSocket message (default: 2097152).")] = None,
    max_connections: MaxConnectionsOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what the hosted service refuses instead of mending it.")
    ] = False,
    log_level: LogLevelOption = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings; also TYMPAN_CONFIG.", dir_okay=False)
    ] = None,
) -> None:
    """Serve live transcription: AssemblyAI's streaming protocol v3 at /v3/ws, and v2 at /v2/realtime/ws.

    Every setting may also come from the environment (TYMPAN_MAX_SESSIONS=4) or a TOML file
    (max_sessions = 4); flags win over the environment, the environment wins over the file. Stops within
    10 seconds of Ctrl+C or SIGTERM, with exit code 0; sessions that run tell their last words first.
    """
    given = {
        "host": host,
        "port": port,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "api_keys": tuple(api_key) if api_key else None,
        "no_auth": no_auth or None,
        "engine": engine,
        "model": model,
        "smart_turn": smart_turn,
        "script": script,
        "workers": workers,
        "max_sessions": max_sessions,
        "max_sessions_per_key": max_sessions_per_key,
        "max_new_sessions_per_minute": max_new_sessions_per_minute,
        "max_session_s": max_session_s,
        "max_backlog_s": max_backlog_s,
        "resume_window_s": resume_window_s,
        "max_message_bytes": max_message_bytes,
        "max_connections": max_connections,
        "strict": strict or None,
        "log_level": log_level,
    }
    flags = {name: value for name, value in given.items() if value is not None}
    with needs_extra("server"):
        from tympan.server.run import serve as run_server
        from tympan.server.settings import load_settings, server_config
    settings = server_config(load_settings(flags, config))
    run_in_foreground(settings, run_server, ("/v3/ws", "/v2/realtime/ws"), is_open_confirmed=i_know_this_is_open)
