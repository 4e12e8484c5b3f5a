"""Fixtures that start real bridges, and services behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from background import Background, background
from running_bridge import BRIDGE_KEY, RunningBridge, Start
from running_service import KEY, Service, eventually, make_service
from shared_service import service, shared_service

from tympan.bridge.config import BridgeConfig, UpstreamConfig
from tympan.server.config import AuthConfig

__all__ = ["service", "shared_service"]

SECRET = "secret of the bridge"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts bridges of a test's own, stopped after the test."""
    with ExitStack() as stack:

        def begin(url: str, key: str | None = KEY, **settings: Any) -> RunningBridge:
            auth = settings.pop("auth", AuthConfig(api_keys=(BRIDGE_KEY,), token_secret=SECRET))
            config = BridgeConfig(UpstreamConfig(url, key), auth=auth, **settings)
            return stack.enter_context(RunningBridge(config))

        yield begin


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Starts our own server as the service behind a bridge."""
    with ExitStack() as stack:

        def begin(**settings: Any) -> Service:
            return stack.enter_context(make_service(**settings))

        yield begin


@pytest.fixture
def bridge(service: Service, start: Start) -> Iterator[RunningBridge]:
    running = start(service.url)
    yield running
    running.hang_up()
    assert eventually(running.is_idle)


@pytest.fixture
def aside() -> Iterator[Background]:
    with background() as loop:
        yield loop
