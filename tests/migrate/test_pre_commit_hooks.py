"""The hooks for pre-commit: they run commands that exist, on every kind of file that is looked at."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tympan.cli.main import main
from tympan.migrate.formats.catalog import FORMATS

HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
)
HOOK = pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])


@HOOK
def test_a_hook_runs_a_command_that_exists(hook: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    command, *arguments = shlex.split(hook["entry"])
    assert command == "tympan"
    assert main([*arguments, "--help"]) == 0
    assert "PATH" in capsys.readouterr().out


@HOOK
def test_a_hook_passes_every_kind_of_file_that_is_looked_at(hook: dict[str, Any]) -> None:
    names = [name for kind in FORMATS for name in (*(f"a{suffix}" for suffix in kind.suffixes), *kind.file_names)]
    assert [name for name in [*names, ".env", "app/.env"] if not re.search(hook["files"], name)] == []
    assert not re.search(hook["files"], "talk.wav")
