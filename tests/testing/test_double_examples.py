"""The examples of the test double's page run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from tympan.script.format import parse_programme

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "test-double.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SCRIPTS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_examples_run_and_print_what_the_page_says(tmp_path: Path) -> None:
    captions, tests, without_pytest = PROGRAMS
    (tmp_path / "captions.py").write_text(captions)
    (tmp_path / "test_captions.py").write_text(tests)
    (tmp_path / "main.py").write_text(without_pytest)

    plugin = [] if any(entry_points(group="pytest11", name="tympan")) else ["-p", "tympan.testing.plugin"]
    tested = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin)
    printed = run(tmp_path, "main.py")

    assert f"{tests.count('def test_')} passed" in tested.stdout, tested.stdout + tested.stderr
    assert f"```text\n{printed.stdout}```" in PAGE, printed.stdout + printed.stderr


def test_the_scripts_of_the_page_can_be_played() -> None:
    (talk,) = (parse_programme(text, "page") for text in SCRIPTS)
    assert [len(session.timeline.words) for session in talk.sessions] == [5, 12]
