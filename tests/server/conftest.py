"""Fixtures that start real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from running_service import KEY, SONNY, Service, Start

from tympan.engines.base import Recognizer
from tympan.engines.scripted import Script, ScriptedRecognizer
from tympan.server.config import AuthConfig, NetworkConfig, ServerConfig


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers that are stopped after the test."""
    with ExitStack() as stack:

        def begin(
            script: Script = SONNY,
            *,
            auth: AuthConfig | None = None,
            recognizer: Recognizer | None = None,
            is_loaded: bool = True,
            **settings: Any,
        ) -> Service:
            auth = auth or AuthConfig(api_keys=("another-key", KEY), token_secret="secret of the tests")
            network = settings.pop("network", NetworkConfig())
            config = ServerConfig(auth=auth, network=network, **settings)
            engine = recognizer or ScriptedRecognizer(script)
            service = Service(config, engine if is_loaded else None)
            stack.callback(service.stop)
            return service

        yield begin


@pytest.fixture
def service(start: Start) -> Service:
    """A server with everything at its default."""
    return start()
