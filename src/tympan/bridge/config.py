"""What a bridge runs with: plain frozen data. Where it comes from is the concern of `settings`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tympan.server.config import AuthConfig, NetworkConfig


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """The v3 service behind the bridge, and the key shown to it; None shows none."""

    url: str
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BridgeConfig:
    """All that a bridge needs to know. `auth` is for its own callers."""

    upstream: UpstreamConfig
    network: NetworkConfig = field(default_factory=NetworkConfig)
    auth: AuthConfig = field(default_factory=AuthConfig)
    max_sessions: int = 500
    has_metrics: bool = True
    log_level: str = "info"
