"""Fixtures that start real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from running_service import KEY, SONNY, Service, Start, eventually

from tympan.engines.base import Recognizer
from tympan.engines.scripted import Script, ScriptedRecognizer
from tympan.server.config import AuthConfig, NetworkConfig, ServerConfig


def make_service(
    script: Script = SONNY,
    *,
    auth: AuthConfig | None = None,
    recognizer: Recognizer | None = None,
    is_loaded: bool = True,
    network: NetworkConfig | None = None,
    **settings: Any,
) -> Service:
    config = ServerConfig(
        auth=auth or AuthConfig(api_keys=("another-key", KEY), token_secret="secret of the tests"),
        network=network or NetworkConfig(),
        **settings,
    )
    engine = recognizer or ScriptedRecognizer(script)
    return Service(config, engine if is_loaded else None)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers of a test's own, stopped after the test."""
    with ExitStack() as stack:

        def begin(*arguments: Any, **settings: Any) -> Service:
            service = make_service(*arguments, **settings)
            stack.callback(service.stop)
            return service

        yield begin


@pytest.fixture(scope="module")
def shared_service() -> Iterator[Service]:
    service = make_service()
    yield service
    service.stop()


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    """A server with everything at its default; the next test finds it idle again."""
    yield shared_service
    shared_service.hang_up()
    shared_service.let_go()
    assert eventually(shared_service.is_idle)
