"""Fixtures that start real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from running_service import Service, Start, make_service
from shared_service import service, shared_service

__all__ = ["service", "shared_service"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers of a test's own, stopped after the test."""
    with ExitStack() as stack:

        def begin(*arguments: Any, **settings: Any) -> Service:
            return stack.enter_context(make_service(*arguments, **settings))

        yield begin
