"""Fixtures that start real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from running_service import Service, Start, make_service


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers of a test's own, stopped after the test."""
    with ExitStack() as stack:

        def begin(*arguments: Any, **settings: Any) -> Service:
            return stack.enter_context(make_service(*arguments, **settings))

        yield begin


@pytest.fixture(scope="module")
def shared_service() -> Iterator[Service]:
    with make_service() as service:
        yield service


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    """A server with everything at its default; the next test finds it idle again."""
    with shared_service.lent():
        yield shared_service
