"""The table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.report import Figure, Provenance, as_json, at_least, at_most, markdown, write

ORIGIN = Provenance("Some CPU", 2, "abc", "2026-01-01 00:00 UTC", 0.5)


@pytest.mark.parametrize(("value", "is_met"), [(1.0, True), (1.01, False), (None, False), (float("nan"), False)])
def test_a_target_is_met_only_by_a_measured_value(value: float | None, is_met: bool) -> None:
    assert Figure("s", "n", value, "s", "a", at_most(1)).is_passed is is_met


def test_a_lower_target_is_met_from_its_limit_on() -> None:
    assert Figure("s", "n", 90.0, "%", "a", at_least(90)).is_passed


def test_a_figure_without_a_target_neither_passes_nor_fails() -> None:
    assert Figure("s", "n", 1.0, "s", "a").is_passed is None


def test_the_table_has_a_row_for_each_figure_and_keeps_its_columns() -> None:
    table = markdown([Figure("s", "n", 1.234, "s", "a|b", at_most(1), "two\nlines")], ORIGIN)
    assert table.splitlines()[-1] == "| s | n | 1.23 s | ≤ 1 | **no** | a\\|b | two lines |"
    assert "Some CPU, 2 cores, load average 0.5 at the start. Commit: abc." in table


def test_each_figure_in_json_is_complete_by_itself(tmp_path: Path) -> None:
    write(tmp_path, [Figure("s", "n", float("nan"), "s", "a")], ORIGIN)
    (row,) = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert (row["value"], row["machine"], row["commit"], row["date"]) == (
        None,
        "Some CPU",
        "abc",
        ORIGIN.date,
    )
    assert as_json([], ORIGIN) == "[]\n"
    assert (tmp_path / "bench.md").exists()
