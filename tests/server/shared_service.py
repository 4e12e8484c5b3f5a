"""Fixtures of a server that the tests of one file share, for the conftest of a folder to import."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running_service import Service, make_service


@pytest.fixture(scope="module")
def shared_service() -> Iterator[Service]:
    with make_service() as service:
        yield service


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    """A server with everything at its default; the next test finds it idle again."""
    with shared_service.lent():
        yield shared_service
