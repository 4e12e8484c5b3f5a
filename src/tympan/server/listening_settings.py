"""Settings of whatever listens, and how settings are read: flags > environment `TYMPAN_*` > TOML file > defaults.

With `settings`, which adds those of the server, the only file that knows pydantic. A value that can't be used is
one line that names the setting and where it came from.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from tympan.core.errors import SettingsError
from tympan.server.config import AuthConfig, NetworkConfig, TlsFiles

S = TypeVar("S", bound=BaseSettings)

PREFIX = "TYMPAN_"

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class ListeningSettings(BaseSettings):
    """Address, TLS, credentials and limits of connections."""

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
    max_message_bytes: Annotated[int, Field(ge=1024)] = Field(2_097_152, description="Longest WebSocket message")
    max_connections: Count = Field(512, description="TCP connections of all kinds at once")
    ping_interval_s: Seconds = Field(20, description="Time between pings")
    ping_timeout_s: Seconds = Field(20, description="A client that answers no ping for this long is gone")
    send_timeout_s: Seconds = Field(10, description="A client that takes nothing for this long is cut")
    metrics: bool = Field(True, description="Serve /metrics")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is written to standard error"
    )

    @field_validator("api_keys", "webhook_networks", mode="before", check_fields=False)
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        if isinstance(value, (list, tuple)):
            if any(isinstance(key, str) and not key.strip() for key in value):
                raise ValueError("a key is empty")
            return tuple(key.strip() if isinstance(key, str) else key for key in value)
        return value

    @field_validator("api_keys")
    @classmethod
    def _check_text(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_is_utf8, keys)):
            raise ValueError("a key is no text in UTF-8")
        return keys


def load(kind: type[S], flags: Mapping[str, Any], config_file: Path | None = None) -> S:
    """Read every source. `flags` hold what was given on the command line, by field name.

    Raises:
        SettingsError: a value can't be used, or the file can't be read.
    """
    filed = {} if config_file is None else _read_file(config_file)

    class Layered(kind):  # type: ignore[valid-type, misc]
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
        settings: S = Layered(**flags)
    except ValidationError as error:
        raise SettingsError(_one_line(error, kind, flags, filed, config_file)) from None
    return settings


def network_config(settings: ListeningSettings) -> NetworkConfig:
    """The listening side.

    Raises:
        SettingsError: settings that don't go together.
    """
    return NetworkConfig(
        host=settings.host,
        port=settings.port,
        tls=_tls_files(settings),
        max_connections=settings.max_connections,
        max_message_bytes=settings.max_message_bytes,
        ping_interval_s=settings.ping_interval_s,
        ping_timeout_s=settings.ping_timeout_s,
        send_timeout_s=settings.send_timeout_s,
    )


def auth_config(settings: ListeningSettings) -> AuthConfig:
    """Who may connect.

    Raises:
        SettingsError: settings that don't go together.
    """
    if settings.single_use_tokens and settings.no_auth:
        raise SettingsError(
            "single_use_tokens: has no effect where no_auth lets everybody connect, with a used token or without any; "
            "leave one of the two out"
        )
    return AuthConfig(
        api_keys=settings.api_keys,
        is_open=settings.no_auth,
        token_secret=settings.token_secret,
        has_single_use_tokens=settings.single_use_tokens,
    )


def refuse_without_effect(settings: ListeningSettings, needs: Mapping[str, str]) -> None:
    """Refuse a setting that was given though the one it `needs` is off or not there: whoever gave it expects something
    that wouldn't happen. An empty one wasn't given: that is how many deployments leave a variable out.

    Raises:
        SettingsError: names both settings.
    """
    for name, needed in needs.items():
        value = getattr(settings, name)
        is_given = name in settings.model_fields_set and bool(value.strip() if isinstance(value, str) else value)
        if not is_given or getattr(settings, needed):
            continue
        if getattr(settings, needed) is False:
            lack, cure = f"{needed} is false", f"set {needed} to true"
        else:
            lack, cure = f"there is no {needed}", f"give {needed} too"
        raise SettingsError(f"{name}: has no effect where {lack}; {cure}, or leave {name} out")


def _tls_files(settings: ListeningSettings) -> TlsFiles | None:
    if settings.tls_cert is not None:
        return TlsFiles(settings.tls_cert, settings.tls_key)
    if settings.tls_key is not None:
        raise SettingsError("tls_key: a key alone is of no use; give tls_cert too")
    return None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the configuration file {path}: {error.strerror}") from error
    except RecursionError as error:
        raise SettingsError(f"the configuration file {path} is nested too deep") from error
    except ValueError as error:  # bad bytes, bad TOML, or a number of thousands of digits
        raise SettingsError(f"the configuration file {path} is no TOML: {error}") from error


def _is_utf8(text: str) -> bool:
    """Whether it is whole: what the environment holds in other bytes comes as halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _one_line(
    error: ValidationError,
    kind: type[BaseSettings],
    flags: Mapping[str, Any],
    filed: Mapping[str, Any],
    path: Path | None,
) -> str:
    """The first thing that is wrong. The value itself isn't shown: it may be a key."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "missing":
        flag, variable = "--" + name.replace("_", "-"), PREFIX + name.upper()
        return f"setting {name!r} is missing; give {flag}, or {variable} in the environment"
    if name in flags:
        place = "on the command line"
    elif PREFIX + name.upper() in {variable.upper() for variable in os.environ}:
        place = f"in the environment, {PREFIX}{name.upper()}"
    elif name in filed:
        place = f"in {path}"
    else:
        place = "by default"
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name!r} ({place}); there are: {', '.join(kind.model_fields)}"
    return f"setting {name!r} ({place}): {first['msg']}"
