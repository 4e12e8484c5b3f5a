"""Figures, their file, and the tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench.immutability import part_figures, total_figures
from bench.metrics import Stillness
from bench.report import Figure, Measured, Provenance, Target, as_json, at_least, at_most, merged, read_json
from bench.table import markdown

RUN = Provenance("speed", "Some CPU", 2, "abc", "2026-01-01 00:00 UTC", 0.5, 90.0, 12.0)


def row(name: str, value: float | None = 1.0, *, part: str = "speed", variant: str = "") -> Measured:
    return Measured(Figure("s", name, value, "s", "a", variant=variant), replace(RUN, part=part))


@pytest.mark.parametrize(("value", "is_met"), [(1.0, True), (1.01, False), (None, False), (float("nan"), False)])
def test_a_target_is_met_only_by_a_measured_value(value: float | None, is_met: bool) -> None:
    assert Figure("s", "n", value, "s", "a", at_most(1)).is_passed is is_met


def test_a_lower_target_is_met_from_its_limit_on() -> None:
    assert Figure("s", "n", 90.0, "%", "a", at_least(90)).is_passed


def test_a_figure_without_a_target_neither_passes_nor_fails() -> None:
    assert Figure("s", "n", 1.0, "s", "a").is_passed is None


@pytest.mark.parametrize("target", [at_most(0.15), at_least(7)])
def test_a_target_is_read_as_it_was_written(target: Target) -> None:
    assert Target.parse(str(target)) == target


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = [
        Measured(Figure("s", "n", 1.5, "s", "a", at_most(1), "why", "v"), RUN),
        Measured(Figure("s", "m", None, "s", "a"), RUN),
    ]
    path = tmp_path / "bench.json"
    path.write_text(as_json(rows), encoding="utf-8")
    assert read_json(path) == rows


def test_a_number_that_is_none_is_none_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(as_json([row("n", float("nan"))]), encoding="utf-8")
    assert read_json(path) == [row("n", None)]


def test_what_never_came_is_told_as_that(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(as_json([row("n", float("inf"))]), encoding="utf-8")
    assert "| s | n | never s |" in markdown(read_json(path))


def test_no_file_is_no_rows(tmp_path: Path) -> None:
    assert read_json(tmp_path / "bench.json") == []


@pytest.mark.parametrize("text", ["{", "[1]", '[{"section": "s"}]'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="move it away"):
        read_json(path)


def test_a_part_that_ran_again_replaces_its_rows_and_the_others_are_kept_in_order() -> None:
    kept = [row("old", part="last"), row("old", part="first"), row("gone", part="no longer a part")]
    rows = merged(kept, [row("new", part="first")], ("first", "last"))
    assert [(r.run.part, r.figure.name) for r in rows] == [("first", "new"), ("last", "old")]


def test_the_table_has_a_line_for_each_figure_and_keeps_its_columns() -> None:
    figure = Figure("s", "n", 1.234, "s", "a|b", at_most(1), "two\nlines")
    lines = markdown([Measured(figure, RUN)]).splitlines()
    assert "| s | n | 1.23 s | ≤ 1 | **no** | a\\|b | two lines |" in lines
    assert "| speed | Some CPU | 2 | abc | 2026-01-01 00:00 UTC | 0.5 | 1.5 | 12 ms |" in lines


def test_variants_are_lines_of_a_table_with_a_column_for_each_figure() -> None:
    rows = [row("x", 1.0, variant="v"), row("y", 2.5, variant="v"), row("x", 3.0, variant="w")]
    lines = markdown(rows).splitlines()
    place = lines.index("## Variants: s")
    table = ["| s | x, s | y, s |", "| --- | ---: | ---: |", "| v | 1 | 2.50 |", "| w | 3 | – |"]
    assert lines[place + 3 : place + 7] == table


def test_late_sending_is_warned_of() -> None:
    assert "NOT TRUSTWORTHY" not in markdown([row("n")])
    late = Measured(row("n").figure, replace(RUN, lag_p99_ms=51.0))
    assert "NOT TRUSTWORTHY: in part speed our own sending lagged 51 ms" in markdown([late])


def test_rows_of_several_commits_are_warned_of() -> None:
    other = Measured(row("n").figure, replace(RUN, commit="def", part="other"))
    assert "different commits" in markdown([row("n"), other])


def test_changed_final_words_add_up_over_the_parts() -> None:
    figures = [*part_figures("a", 2, Stillness(100, 1)), *part_figures("b", 3, Stillness(50, 0))]
    (total,) = total_figures([Measured(figure, RUN) for figure in figures])
    assert (total.value, total.is_passed) == (1, False)
    assert total.audio == "all 5 sessions with a server, 150 final words"


def test_a_part_without_sessions_says_nothing_of_immutability() -> None:
    assert part_figures("a", 0, Stillness()) == []
    assert total_figures([row("n")]) == []
