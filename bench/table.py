"""The figures as Markdown, for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from bench.context import LAG_LIMIT_MS
from bench.report import Figure, Measured, Provenance

_MARKS = {None: "", True: "yes", False: "**no**"}


def markdown(rows: Sequence[Measured]) -> str:
    """What was run, the figures, and a table for every section that tried variants."""
    runs = list(dict.fromkeys(row.run for row in rows))
    figures = [row.figure for row in rows]
    blocks = [["# Benchmark"], _warnings(runs), _figures_table([f for f in figures if not f.variant])]
    varied = [figure for figure in figures if figure.variant]
    for section in dict.fromkeys(figure.section for figure in varied):
        blocks.append(_variants_table(section, [figure for figure in varied if figure.section == section]))
    blocks.append(_runs_table(runs))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _warnings(runs: Sequence[Provenance]) -> list[str]:
    warnings = []
    if len({(run.machine, run.commit) for run in runs}) > 1:
        warnings.append("**The parts were run at different commits or on different machines: see the last table.**")
    warnings += [
        f"**NOT TRUSTWORTHY: in part {run.part} our own sending lagged {run.lag_p99_ms:.0f} ms (p99).**"
        for run in runs
        if run.lag_p99_ms > LAG_LIMIT_MS
    ]
    return warnings


def _figures_table(figures: Iterable[Figure]) -> list[str]:
    lines = [
        "| section | figure | value | target | met | audio | note |",
        "| --- | --- | ---: | --- | --- | --- | --- |",
    ]
    lines += [
        _line(
            [
                figure.section,
                figure.name,
                f"{_number(figure)} {figure.unit}".strip() if figure.is_measured else "–",
                str(figure.target or ""),
                _MARKS[figure.is_passed],
                figure.audio,
                figure.note,
            ]
        )
        for figure in figures
    ]
    return lines


def _variants_table(section: str, figures: Sequence[Figure]) -> list[str]:
    columns = dict.fromkeys((figure.name, figure.unit) for figure in figures)
    cells = {(figure.variant, figure.name): figure for figure in figures}
    audio = "; ".join(dict.fromkeys(figure.audio for figure in figures if figure.audio))
    has_notes = any(figure.note for figure in figures)
    lines = [f"## Variants: {section}", *([audio] if audio else []), ""]
    heads = [section, *(f"{name}, {unit}".rstrip(", ") for name, unit in columns)]
    lines.append(_line([*heads, "note"] if has_notes else heads))
    lines.append("| --- |" + " ---: |" * len(columns) + " --- |" * has_notes)
    for variant in dict.fromkeys(figure.variant for figure in figures):
        row = [cells.get((variant, name)) for name, _ in columns]
        notes = "; ".join(dict.fromkeys(figure.note for figure in row if figure and figure.note))
        lines.append(_line([variant, *map(_cell, row), *([notes] if has_notes else [])]))
    return lines


def _runs_table(runs: Iterable[Provenance]) -> list[str]:
    lines = [
        "## Runs",
        "",
        "| part | machine | cores | commit | date | load average at its start | minutes | sending lag p99 |",
        "| --- | --- | ---: | --- | --- | ---: | ---: | ---: |",
    ]
    for run in runs:
        if not run.took_s:
            continue  # a total over other parts
        lag = f"{run.lag_p99_ms:.0f} ms" if run.lag_p99_ms else "–"
        cells = [run.part, run.machine, str(run.cores), run.commit, run.date, f"{run.load:.1f}"]
        lines.append(_line([*cells, f"{run.took_s / 60:.1f}", lag]))
    return lines


def _cell(figure: Figure | None) -> str:
    if figure is None or not figure.is_measured:
        return "–"
    if figure.target is None:
        return _number(figure)
    return f"{_number(figure)} ({figure.target}: {_MARKS[figure.is_passed]})"


def _number(figure: Figure) -> str:
    value = figure.value or 0.0
    if math.isinf(value):
        return "never"
    digits = 0 if value == int(value) else 2 if abs(value) < 100 else 1
    return f"{value:.{digits}f}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escaped(cells)) + " |"


def _escaped(cells: Iterable[str]) -> Iterator[str]:
    return (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
