"""What a third-party program told: one JSON object a line, with the name of the event and its values."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

Event = dict[str, Any]

BECKETT = "ever tried ever failed no matter try again"
"""How the recording of the fixture `beckett` begins."""


def events(done: subprocess.CompletedProcess[str]) -> list[Event]:
    """What a program told, after a clean end."""
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def kinds(told: list[Event]) -> list[str]:
    """Events in order; partials in a row count as one."""
    names = [event["event"] for event in told]
    return [
        name for index, name in enumerate(names) if index == 0 or (name, names[index - 1]) != ("partial", "partial")
    ]


def finals(told: list[Event]) -> list[str]:
    """Transcripts of the finals, in order."""
    return [event["text"] for event in told if event["event"] == "final"]


def spoken(texts: list[str]) -> str:
    """The words alone: where sentences end is up to the settings of each client."""
    return " ".join(re.findall("[a-z']+", " ".join(texts).lower()))
