"""What the server runs with: plain frozen data. Where it comes from is the concern of `settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from tympan.core.config import SessionConfig
from tympan.engines.registry import DEFAULT_ENGINE
from tympan.runtime.key_limits import KeyLimits


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the certificate with its chain, and its private key; without one, the first holds both."""

    cert: Path
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The listening side. A port of 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = 8000
    tls: TlsFiles | None = None
    """None: plain HTTP and WebSocket."""
    max_connections: int = 512
    """TCP connections of all kinds; one more is cut at once."""
    max_message_bytes: int = 2_097_152
    """A longer WebSocket message ends its connection with close code 1009."""
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    """A client that answers no ping for this long is gone."""
    send_timeout_s: float = 10.0
    """A client that takes nothing for this long is cut."""


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Who may connect. The secret signs temporary tokens; both are kept out of `repr`."""

    api_keys: tuple[str, ...] = field(default=(), repr=False)
    is_open: bool = False
    token_secret: str = field(default="", repr=False)
    has_single_use_tokens: bool = False


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Which model listens, and with how many threads. `options` are the engine's own."""

    engine: str = DEFAULT_ENGINE
    model: str | None = None
    workers: int = 1
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutboundConfig:
    """What the server may ask of others. Keys are kept out of `repr`."""

    has_webhooks: bool = True
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Webhooks may go there although they are not on the public Internet."""
    webhook_key: bytes = field(default=b"", repr=False)
    """Signs webhooks; empty: they aren't signed."""
    llm_url: str | None = None
    """Base address of an OpenAI-compatible service, `…/v1`; None: there is none."""
    llm_key: str = field(default="", repr=False)
    llm_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """All that a server needs to know."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    auth: AuthConfig = field(default_factory=AuthConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    session: SessionConfig = field(default_factory=SessionConfig)
    """What holds for every session unless its client asks for something else."""
    outbound: OutboundConfig = field(default_factory=OutboundConfig)
    max_sessions: int = 8
    key_limits: KeyLimits = field(default_factory=KeyLimits)
    resume_window_s: float = 30.0
    """A session whose client is lost and asked for it is kept so long; 0 keeps none."""
    has_metrics: bool = True
    log_level: str = "info"
