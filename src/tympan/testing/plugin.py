"""The pytest plugin: one fixture. It imports nothing that a run without the fixture doesn't need."""

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
