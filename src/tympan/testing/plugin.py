"""The pytest plugin: two fixtures. It imports nothing that a run without them doesn't need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tympan.testing import DoubleServer

# ruff: noqa: PLC0415


@pytest.fixture
def tympan_server() -> Iterator[DoubleServer]:
    """A scripted speech-to-text server on a loopback port, new for each test; see tympan's "test double" page."""
    from tympan.testing import DoubleServer

    with DoubleServer() as server:
        yield server


@pytest.fixture
def strict_tympan_server() -> Iterator[DoubleServer]:
    """The same, and it refuses what the hosted service refuses."""
    from tympan.testing import DoubleServer

    with DoubleServer(strict=True) as server:
        yield server
