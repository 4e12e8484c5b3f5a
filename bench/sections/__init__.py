"""The sections of the benchmark, in the order in which they run.

Each module has `run(context) -> list[Figure]`. They are imported one by one when their turn comes, so that
one that can't even be imported is a row of the table like any other failure.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from bench.context import Context
from bench.report import Figure

Section = Callable[[Context], list[Figure]]

SECTIONS = (
    "accuracy",
    "policy",
    "latency",
    "force",
    "voice_agent",
    "turns",
    "false_text",
    "noise",
    "cost",
    "memory",
    "startup",
    "longevity",
    "bridge",
    "flood",
)


def section(name: str) -> Section:
    """The section's `run`."""
    run: Section = importlib.import_module(f"bench.sections.{name}").run
    return run
