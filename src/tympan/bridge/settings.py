"""Settings of the bridge: flags > environment `TYMPAN_*` > TOML file > defaults, read as the server's are."""

from __future__ import annotations

from pydantic import Field

from tympan.bridge.config import BridgeConfig, UpstreamConfig
from tympan.client.address import session_address
from tympan.client.errors import RequestError
from tympan.core.errors import SettingsError
from tympan.server.listening_settings import Count, ListeningSettings, auth_config, network_config


class BridgeSettings(ListeningSettings):
    """Every setting of the bridge, with its default and limits."""

    port: int = Field(8001, ge=0, le=65_535, description="Port to listen on; 0 lets the system choose")
    upstream: str = Field(min_length=1, description="Address of the v3 service, like ws://HOST:PORT")
    upstream_key: str | None = Field(
        None, min_length=1, description="Key for the v3 service; none is shown without it", repr=False
    )
    max_sessions: Count = Field(500, description="Sessions at once")


def bridge_config(settings: BridgeSettings) -> BridgeConfig:
    """The plain data that the bridge runs with.

    Raises:
        SettingsError: settings that don't go together, or an address that is none.
    """
    try:
        session_address(settings.upstream, {})
    except RequestError as error:
        raise SettingsError(f"upstream: {error}") from None
    return BridgeConfig(
        upstream=UpstreamConfig(settings.upstream, settings.upstream_key),
        network=network_config(settings),
        auth=auth_config(settings),
        max_sessions=settings.max_sessions,
        has_metrics=settings.metrics,
        log_level=settings.log_level,
    )
