"""What every example program does where it isn't told what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAMS = sorted(EXAMPLES.rglob("*.py"))


def test_there_are_example_programs() -> None:
    assert {program.name for program in PROGRAMS} >= {"backend.py", "relay.py"}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
@pytest.mark.parametrize("key", [{}, {"TYMPAN_API_KEY": ""}], ids=["no key", "an empty key"])
def test_without_a_key_an_example_says_what_to_set(program: Path, key: dict[str, str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TYMPAN_API_KEY"} | key
    told = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (1, "", "Set TYMPAN_API_KEY to a key of the server.\n")
