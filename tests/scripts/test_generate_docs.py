"""The pages that come from code are complete, fresh, and the same wherever they are written."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tympan.bridge.metrics import BridgeMetrics
from tympan.bridge.settings import BridgeSettings
from tympan.cli.exit_codes import ExitCode
from tympan.runtime.metrics import Metrics
from tympan.server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = (*Settings.model_fields, *BridgeSettings.model_fields)
SCRIPT = ROOT / "scripts" / "generate_docs.py"


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_docs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_pages_are_fresh(generator):
    assert generator.stale_pages(ROOT) == []


def test_writing_makes_pages_fresh_and_an_edit_makes_them_stale(generator, tmp_path, capsys):
    assert generator.main(["--check"], root=tmp_path) == 1
    assert "docs/reference/settings.md is stale" in capsys.readouterr().err
    assert generator.main([], root=tmp_path) == 0
    assert generator.main(["--check"], root=tmp_path) == 0
    (tmp_path / "docs/reference/settings.md").write_text("edited")
    assert generator.main(["--check"], root=tmp_path) == 1


@pytest.mark.parametrize(
    "environment",
    [
        {"COLUMNS": "30", "FORCE_COLOR": "1", "TERM": "xterm-256color"},
        {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb", "TYMPAN_PORT": "9", "TYMPAN_MODEL": "x", "LANG": "C"},
    ],
)
def test_pages_depend_on_no_terminal_and_no_environment(environment):
    checked = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_every_setting_metric_and_exit_code_has_its_row(generator):
    settings, metrics, commands = generator.settings_page(), generator.metrics_page(), generator.commands_page()
    for name in SETTINGS:
        assert f"\n| `{name}` |" in settings
    for registry in (Metrics().registry, BridgeMetrics().registry):
        for metric in registry.collect():
            assert f"\n| `{metric.name}" in metrics
    for code in ExitCode:
        assert f"\n| {code.value} | {code.meaning} |" in commands


def test_every_variable_that_the_code_names_is_in_the_settings_page(generator):
    page = generator.settings_page()
    variables = {
        name
        for source in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"\bTYMPAN_[A-Z_]*[A-Z]\b", source.read_text(encoding="utf-8"))
    }
    assert {name for name in variables if name not in page} <= {f"TYMPAN_{name.upper()}" for name in SETTINGS}


def test_every_row_of_a_table_has_as_many_cells_as_its_head(generator):
    for render in generator.PAGES.values():
        for table in re.findall(r"(?:^\|.*\n)+", render(), re.MULTILINE):
            assert len({re.sub(r"\\\|", "", line).count("|") for line in table.splitlines()}) == 1
