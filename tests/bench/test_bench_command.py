"""The command: its table, its exit codes, its behaviour without data."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from bench.__main__ import main

SERVE = shlex.join((sys.executable, str(Path(__file__).with_name("fake_v3_server.py"))))


def run(tmp_path: Path, only: str, serve: str = SERVE) -> int:
    missing = tmp_path / "missing"
    return main(["--data", str(missing), "--out", str(tmp_path / "out"), "--serve", serve, "--only", only])


def table_rows(tmp_path: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads((tmp_path / "out" / "bench.json").read_text(encoding="utf-8"))
    return rows


def test_without_data_a_small_version_runs_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "false-text") == 0
    assert "a small version runs on the model wheel's own recording" in capsys.readouterr().err
    rows = {(row["section"], row["name"], row["variant"]): row["met"] for row in table_rows(tmp_path)}
    assert rows["false text", "words written", ""] is False
    assert rows["immutability", "changed final words", ""] is True


def test_a_section_that_needs_more_data_is_a_row_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "latency,turns") == 0
    table = capsys.readouterr().out
    assert "needs words with true times" in table
    assert "needs recorded conversations" in table


def test_a_section_that_breaks_is_a_row_and_does_not_lose_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = shlex.join((sys.executable, "-c", "import sys; sys.exit('no model here')"))
    assert run(tmp_path, "startup,turns", broken) == 1
    table = capsys.readouterr().out
    assert "ServerFailed" in table
    assert "no model here" in table
    assert "needs recorded conversations" in table


def test_sections_that_did_not_run_keep_their_rows(tmp_path: Path) -> None:
    run(tmp_path, "latency")
    run(tmp_path, "turns")
    assert [row["section"] for row in table_rows(tmp_path)] == ["latency", "turns"]
    missing = str(tmp_path / "missing")
    main(["--data", missing, "--out", str(tmp_path / "out"), "--only", "turns", "--fresh"])
    assert [row["section"] for row in table_rows(tmp_path)] == ["turns"]


def test_a_table_that_cannot_be_read_is_wrong_usage_and_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bench.json").write_text("{", encoding="utf-8")
    assert run(tmp_path, "turns") == 2
    assert "move it away" in capsys.readouterr().err
    assert (tmp_path / "out" / "bench.json").read_text(encoding="utf-8") == "{"


def test_an_unknown_section_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "speed") == 2
    assert "no section speed; there are accuracy" in capsys.readouterr().err
