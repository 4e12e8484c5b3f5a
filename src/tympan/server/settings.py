"""Settings: flags > environment `TYMPAN_*` > TOML file > defaults. The only file that knows pydantic.

A field here is a variable of the environment (`TYMPAN_MAX_SESSIONS`), a key of the file (`max_sessions = 16`)
and, where it is often wanted, a flag of `tympan serve` (`--max-sessions`). What comes out is the plain data of
`config`; a value that can't be used is one line that names the setting and where it came from.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from tympan.core.config import FormattedSource, OutputConfig, SessionConfig, SessionLimits, TurnConfig
from tympan.core.errors import SettingsError
from tympan.engines.registry import DEFAULT_ENGINE
from tympan.server.config import AuthConfig, EngineConfig, NetworkConfig, ServerConfig, TlsFiles

PREFIX = "TYMPAN_"
CONFIG_VARIABLE = "TYMPAN_CONFIG"

SESSIONS_PER_CORE = 8
"""Continuous streams that one core carries (design, section 8.9)."""

LENIENT_CHUNK_MS = 10_000
STRICT_CHUNK_MS = 1_000
"""Longest audio in one message (protocol reference, section 3)."""

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
SilenceMs = Annotated[int, Field(ge=1, le=60_000)]


def _cores() -> int:
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Every setting of the server, with its default and limits."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on; 0 lets the system choose")
    tls_cert: Path | None = Field(
        None, description="Certificate of the server with its chain, a PEM file: https and wss instead of http and ws"
    )
    tls_key: Path | None = Field(
        None, description="Private key of the certificate, a PEM file without passphrase; may be in the same file"
    )
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Keys that may connect, separated by commas", repr=False
    )
    no_auth: bool = Field(False, description="Let everybody connect")
    token_secret: str = Field(
        default_factory=lambda: secrets.token_urlsafe(32),
        min_length=16,
        description="Signs temporary tokens; random at each start unless given",
        repr=False,
    )
    single_use_tokens: bool = Field(False, description="A temporary token opens one session only")
    engine: str = Field(DEFAULT_ENGINE, description="Engine that listens")
    model: str | None = Field(None, description="Model of the engine, by name or path")
    smart_turn: str | None = Field(
        None,
        min_length=1,
        description="Second model for the end of turns: its path, or `pulled`; without it, only the engine's own",
    )
    workers: Count = Field(default_factory=_cores, description="Engine threads")
    max_sessions: Count = Field(default_factory=lambda: SESSIONS_PER_CORE * _cores(), description="Sessions at once")
    max_session_s: Annotated[int, Field(ge=1)] = Field(10_800, description="Longest session")
    max_backlog_s: Seconds = Field(300, description="Audio that may wait to be transcribed in one session")
    max_message_bytes: Annotated[int, Field(ge=1024)] = Field(2_097_152, description="Longest WebSocket message")
    max_connections: Count = Field(512, description="TCP connections of all kinds at once")
    inactivity_timeout_s: Seconds | None = Field(
        None, description="End a session without messages after this long; clients may ask for their own"
    )
    ping_interval_s: Seconds = Field(20, description="Time between pings")
    ping_timeout_s: Seconds = Field(20, description="A client that answers no ping for this long is gone")
    send_timeout_s: Seconds = Field(10, description="A client that takes nothing for this long is cut")
    end_of_turn_confidence_threshold: Share = Field(0.4, description="Default of the same parameter")
    min_turn_silence_ms: SilenceMs = Field(400, description="Default of `min_turn_silence`")
    max_turn_silence_ms: SilenceMs = Field(1280, description="Default of `max_turn_silence`")
    vad_threshold: Share = Field(0.4, description="Default of the same parameter")
    formatted_source: FormattedSource = Field(
        FormattedSource.FULL_DECODE, description="Where the words of a formatted final come from"
    )
    strict: bool = Field(False, description="Refuse what the hosted service refuses instead of mending it")
    metrics: bool = Field(True, description="Serve /metrics")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is written to standard error"
    )

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        if isinstance(value, (list, tuple)):
            if any(isinstance(key, str) and not key.strip() for key in value):
                raise ValueError("a key is empty")
            return tuple(key.strip() if isinstance(key, str) else key for key in value)
        return value


def load_settings(flags: Mapping[str, Any], config_file: Path | None = None) -> Settings:
    """Read every source. `flags` hold what was given on the command line, by field name.

    Raises:
        SettingsError: a value can't be used, or the file can't be read.
    """
    variable = os.environ.get(CONFIG_VARIABLE)
    path = config_file or (Path(variable) if variable else None)
    filed = {} if path is None else _read_file(path)

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, env_settings, InitSettingsSource(settings_cls, filed))

    try:
        return Layered(**flags)
    except ValidationError as error:
        raise SettingsError(_one_line(error, flags, filed, path)) from None


def server_config(settings: Settings) -> ServerConfig:
    """The plain data that the server runs with.

    Raises:
        SettingsError: settings that don't go together.
    """
    return ServerConfig(
        network=NetworkConfig(
            host=settings.host,
            port=settings.port,
            tls=_tls_files(settings),
            max_connections=settings.max_connections,
            max_message_bytes=settings.max_message_bytes,
            ping_interval_s=settings.ping_interval_s,
            ping_timeout_s=settings.ping_timeout_s,
            send_timeout_s=settings.send_timeout_s,
        ),
        auth=AuthConfig(
            api_keys=settings.api_keys,
            is_open=settings.no_auth,
            token_secret=settings.token_secret,
            has_single_use_tokens=settings.single_use_tokens,
        ),
        engine=EngineConfig(settings.engine, settings.model, settings.workers, _engine_options(settings)),
        session=_session_config(settings),
        max_sessions=settings.max_sessions,
        has_metrics=settings.metrics,
        log_level=settings.log_level,
    )


def _tls_files(settings: Settings) -> TlsFiles | None:
    if settings.tls_cert is not None:
        return TlsFiles(settings.tls_cert, settings.tls_key)
    if settings.tls_key is not None:
        raise SettingsError("tls_key: a key alone is of no use; give tls_cert too")
    return None


def _engine_options(settings: Settings) -> dict[str, str]:
    return {} if settings.smart_turn is None else {"smart_turn": settings.smart_turn}


def _session_config(settings: Settings) -> SessionConfig:
    return SessionConfig(
        turn=TurnConfig(
            confidence_threshold=settings.end_of_turn_confidence_threshold,
            min_silence_ms=settings.min_turn_silence_ms,
            max_silence_ms=settings.max_turn_silence_ms,
            vad_threshold=settings.vad_threshold,
        ),
        output=OutputConfig(formatted_source=settings.formatted_source),
        limits=SessionLimits(
            inactivity_timeout_s=settings.inactivity_timeout_s,
            max_duration_s=settings.max_session_s,
            max_backlog_ms=round(settings.max_backlog_s * 1000),
            max_chunk_ms=STRICT_CHUNK_MS if settings.strict else LENIENT_CHUNK_MS,
            is_strict=settings.strict,
        ),
    )


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the configuration file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the configuration file {path} is no TOML: {error}") from error


def _one_line(error: ValidationError, flags: Mapping[str, Any], filed: Mapping[str, Any], path: Path | None) -> str:
    """The first thing that is wrong. The value itself isn't shown: it may be a key."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0])
    if name in flags:
        place = "on the command line"
    elif PREFIX + name.upper() in {variable.upper() for variable in os.environ}:
        place = f"in the environment, {PREFIX}{name.upper()}"
    elif name in filed:
        place = f"in {path}"
    else:
        place = "by default"
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name!r} ({place}); there are: {', '.join(Settings.model_fields)}"
    return f"setting {name!r} ({place}): {first['msg']}"
