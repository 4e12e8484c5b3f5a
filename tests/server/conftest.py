"""Fixtures that start real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from running_service import Service, Start, eventually, make_service


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
