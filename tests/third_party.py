"""Programs of other people, each in an environment of its own: `make clients` sets them up.

`tests/environments/NAME` says what is in one. A Python environment runs Python programs; a folder with
`node_modules` runs CommonJS programs (`.cjs`), which find the packages by `require`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DECLARED = ROOT / "tests" / "environments"
INSTALLED = ROOT / ".venv" / "clients"
REQUIRED = "TYMPAN_REQUIRE_CLIENTS"
"""Set to 1, a missing environment is a failure."""
TIMEOUT_S = 300.0
"""After so long a program hangs; on a busy machine some take a minute to start."""


@dataclass(frozen=True)
class Environment:
    """An interpreter and what it needs to find its packages. `variables` come on top of the test's own."""

    interpreter: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self, program: Path, *arguments: str) -> list[str]:
        """The command line that runs a program here."""
        return [str(self.interpreter), str(program), *arguments]

    def surroundings(self, **variables: str) -> dict[str, str]:
        """The environment variables of such a process."""
        return os.environ | dict(self.variables) | variables

    def run(self, program: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; what it printed is in the result.

        Raises:
            subprocess.TimeoutExpired: it hangs.
        """
        return subprocess.run(
            self.command(program, *arguments),
            env=self.surroundings(**variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )


def find_environment(name: str) -> Environment:
    """The environment of this name; without it the test is skipped, or fails where clients are required."""
    assert (DECLARED / name).is_dir(), f"tests/environments has no {name}"
    node = shutil.which("node")
    if not (INSTALLED / name / ".installed").exists():
        return _missing(f"the client environment {name} is not set up: run make clients")
    if (DECLARED / name / "requirements.txt").exists():
        return Environment(INSTALLED / name / "bin" / "python")
    if node is None:
        return _missing(f"the client environment {name} needs Node.js, which is not on the PATH")
    return Environment(Path(node), {"NODE_PATH": str(INSTALLED / name / "node_modules")})


def _missing(reason: str) -> Environment:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(reason)
    pytest.skip(reason)
