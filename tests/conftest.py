"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("conversation")

from conversation import Caller  # noqa: E402 - its assertions must be rewritten before it is imported
from third_party import Environment, find_environment  # noqa: E402

# Timing belongs to the benchmark: a slow machine must not fail a property, be it an example that takes its time or the
# drawing of it. The same commit is given the same examples; `make fuzz` looks for new ones.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("tympan", unhurried, derandomize=True)
settings.register_profile("long", unhurried, max_examples=1_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tympan"))

# Shells let what they start in the background ignore Ctrl+C, and children inherit that; some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def caller() -> Caller:
    """Somebody on the line, with the default configuration."""
    return Caller()


@pytest.fixture(scope="session")
def third_party() -> Callable[[str], Environment]:
    """Finds an environment of `tests/environments` that `make clients` has set up; see `third_party.py`."""
    return find_environment
