"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("conversation")

from conversation import Caller  # noqa: E402 - its assertions must be rewritten before it is imported

# Timing belongs to the benchmark: a slow machine must not fail a property.
settings.register_profile("tympan", deadline=None)
settings.load_profile("tympan")


@pytest.fixture
def caller() -> Caller:
    """Somebody on the line, with the default configuration."""
    return Caller()
