"""Settings of the server: flags > environment `TYMPAN_*` > TOML file > defaults.

A field here is a variable of the environment (`TYMPAN_MAX_SESSIONS`), a key of the file (`max_sessions = 16`)
and, where it is often wanted, a flag of `tympan serve` (`--max-sessions`). What comes out is the plain data of
`config`; a value that can't be used is one line that names the setting and where it came from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field
from pydantic_settings import NoDecode

from tympan.core.config import FormattedSource, OutputConfig, SessionConfig, SessionLimits, TurnConfig
from tympan.core.errors import SettingsError
from tympan.engines.registry import DEFAULT_ENGINE, SCRIPT_ENGINE
from tympan.runtime.key_limits import KeyLimits
from tympan.server.config import EngineConfig, OutboundConfig, ServerConfig
from tympan.server.listening_settings import (
    Count,
    ListeningSettings,
    Seconds,
    auth_config,
    load,
    network_config,
    refuse_without_effect,
)
from tympan.server.outbound.reach import Network
from tympan.server.outbound.signature import read_secret
from tympan.wire.v3.webhook import url_objection

CONFIG_VARIABLE = "TYMPAN_CONFIG"

SESSIONS_PER_CORE = 8
"""Continuous streams that one core carries (design, section 8.9)."""

_NEEDS = MappingProxyType(
    {
        "webhook_networks": "webhooks",
        "webhook_secret": "webhooks",
        "llm_gateway_key": "llm_gateway_url",
        "llm_gateway_timeout_s": "llm_gateway_url",
    }
)
"""Settings that have no effect without another one."""

Share = Annotated[float, Field(ge=0, le=1)]
SilenceMs = Annotated[int, Field(ge=1, le=60_000)]


def _cores() -> int:
    return os.cpu_count() or 1


class Settings(ListeningSettings):
    """Every setting of the server, with its default and limits."""

    engine: str = Field(DEFAULT_ENGINE, description="Engine that listens")
    model: str | None = Field(None, description="Model of the engine, by name or path")
    smart_turn: str | None = Field(
        None,
        min_length=1,
        description="Second model for the end of turns: its path, or `pulled`; without it, only the engine's own",
    )
    script: str | None = Field(
        None, min_length=1, description="Script to play instead of listening: the model of the engine `scripted`"
    )
    workers: Count = Field(default_factory=_cores, description="Engine threads")
    max_sessions: Count = Field(default_factory=lambda: SESSIONS_PER_CORE * _cores(), description="Sessions at once")
    max_sessions_per_key: Count | None = Field(
        None, description="Of them, sessions of one key and its temporary tokens; without keys, of all together"
    )
    max_new_sessions_per_minute: Count | None = Field(
        None, description="Sessions that one key may begin in any 60 s; a session that is resumed isn't a new one"
    )
    max_session_s: Annotated[int, Field(ge=1)] = Field(10_800, description="Longest session")
    max_backlog_s: Seconds = Field(300, description="Audio that may wait to be transcribed in one session")
    resume_window_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        30, description="Keep the session of a client that was cut off for this long, if it asked for that; 0: never"
    )
    inactivity_timeout_s: Seconds | None = Field(
        None, description="End a session without messages after this long; clients may ask for their own"
    )
    end_of_turn_confidence_threshold: Share = Field(0.4, description="Default of the same parameter, US models")
    min_turn_silence_ms: SilenceMs = Field(400, description="Default of `min_turn_silence` for US models")
    max_turn_silence_ms: SilenceMs = Field(
        1280, description="Default of `max_turn_silence` for US models; at least `min_turn_silence_ms`"
    )
    vad_threshold: Share = Field(0.4, description="Default of the same parameter, US models")
    formatted_source: FormattedSource = Field(
        FormattedSource.FULL_DECODE, description="Where the words of a formatted final come from"
    )
    webhooks: bool = Field(True, description="Post the finals of a session where its client wants them")
    webhook_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks that webhooks may reach besides the public Internet, separated by commas: `127.0.0.1`, "
        "`10.0.0.0/8`",
    )
    webhook_secret: str | None = Field(
        None, description="Signs webhooks as Standard Webhooks does: `whsec_` and a key in base64", repr=False
    )
    llm_gateway_url: str | None = Field(
        None,
        description="Base address of an OpenAI-compatible service for `llm_gateway`, such as `http://HOST:11434/v1`",
    )
    llm_gateway_key: str | None = Field(None, description="Key for that service", repr=False)
    llm_gateway_timeout_s: Seconds = Field(30, description="Longest time for one answer of it")
    strict: bool = Field(False, description="Refuse what the hosted service refuses instead of mending it")


def load_settings(flags: Mapping[str, Any], config_file: Path | None = None) -> Settings:
    """Read every source; the environment may name the file. `flags` hold what was given on the command line.

    Raises:
        SettingsError: a value can't be used, or the file can't be read.
    """
    variable = os.environ.get(CONFIG_VARIABLE)
    return load(Settings, flags, config_file or (Path(variable) if variable else None))


def server_config(settings: Settings) -> ServerConfig:
    """The plain data that the server runs with.

    Raises:
        SettingsError: settings that don't go together.
    """
    config = ServerConfig(
        network=network_config(settings),
        auth=auth_config(settings),
        engine=_engine_config(settings),
        session=_session_config(settings),
        outbound=_outbound_config(settings),
        max_sessions=settings.max_sessions,
        key_limits=KeyLimits(settings.max_sessions_per_key, settings.max_new_sessions_per_minute),
        resume_window_s=settings.resume_window_s,
        has_metrics=settings.metrics,
        log_level=settings.log_level,
    )
    refuse_without_effect(settings, _NEEDS)
    return config


def _engine_config(settings: Settings) -> EngineConfig:
    engine, model = settings.engine, settings.model
    if settings.script is not None:
        is_chosen = "engine" in settings.model_fields_set
        if (is_chosen and engine != SCRIPT_ENGINE) or model is not None:
            raise SettingsError(f"script: only the engine {SCRIPT_ENGINE!r} plays one, and it has no other model")
        engine, model = SCRIPT_ENGINE, settings.script
    return EngineConfig(engine, model, settings.workers, _engine_options(settings))


def _engine_options(settings: Settings) -> dict[str, str]:
    return {} if settings.smart_turn is None else {"smart_turn": settings.smart_turn}


def _outbound_config(settings: Settings) -> OutboundConfig:
    try:
        key = b"" if settings.webhook_secret is None else read_secret(settings.webhook_secret)
    except ValueError as error:
        raise SettingsError(f"webhook_secret: {error}") from None
    objection = url_objection(settings.llm_gateway_url or "")
    if objection is not None:
        raise SettingsError(f"llm_gateway_url: {objection}")
    llm_key = (settings.llm_gateway_key or "").strip()
    if not (llm_key.isascii() and llm_key.isprintable()):
        raise SettingsError("llm_gateway_key: holds characters that no key has; was it copied with a line break?")
    return OutboundConfig(
        has_webhooks=settings.webhooks,
        networks=tuple(_network(text) for text in settings.webhook_networks),
        webhook_key=key,
        llm_url=settings.llm_gateway_url or None,
        llm_key=llm_key,
        llm_timeout_s=settings.llm_gateway_timeout_s,
    )


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(f"webhook_networks: expected an address or ADDRESS/BITS; {error}") from None


def _session_config(settings: Settings) -> SessionConfig:
    if settings.max_turn_silence_ms < settings.min_turn_silence_ms:
        raise SettingsError(
            f"max_turn_silence_ms: expected at least min_turn_silence_ms, {settings.min_turn_silence_ms}, before which "
            f"no turn ends; got {settings.max_turn_silence_ms}; raise the one or lower the other"
        )
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
            is_strict=settings.strict,
        ),
    )
