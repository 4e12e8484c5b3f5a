"""The environments of third-party clients are what they say they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from third_party import DECLARED, REQUIRED, Environment, find_environment

ThirdParty = Callable[[str], Environment]


def test_a_python_environment_runs_programs_with_its_own_packages(third_party: ThirdParty, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys, assemblyai; print(assemblyai.__version__, *sys.argv[1:])")
    assert third_party("python-sdk-v2").run(program, "a", "b").stdout == "0.33.0 a b\n"


def test_a_javascript_environment_runs_programs_with_its_own_packages(third_party: ThirdParty, tmp_path: Path) -> None:
    program = tmp_path / "program.cjs"
    program.write_text("console.log(typeof require('assemblyai').RealtimeService, process.argv[2], process.env.EXTRA)")
    assert third_party("javascript-sdk-4.9").run(program, "a", EXTRA="b").stdout == "function a b\n"


def test_no_lock_file_names_a_registry() -> None:
    for lock in [*DECLARED.glob("*/package-lock.json"), *DECLARED.glob("*/requirements.txt")]:
        text = lock.read_text()
        assert '"resolved"' not in text, lock
        assert "--index-url" not in text, lock
        assert "--hash=sha256:" in text or '"integrity"' in text, lock


@pytest.mark.parametrize(("required", "outcome"), [("0", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_a_missing_environment_skips_unless_clients_are_required(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(REQUIRED, required)
    monkeypatch.setattr("third_party.INSTALLED", tmp_path)
    with pytest.raises(outcome, match="run make clients"):
        find_environment("python-sdk-v2")
