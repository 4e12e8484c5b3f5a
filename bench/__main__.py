"""`python -m bench`: run the sections, write one table.

The table is `bench.md` and `bench.json` in the output folder. Sections that are not asked for keep their rows
from the last run there, marked with their own date and commit: a long run can be done in pieces.

Exit codes: 0 all sections ran (whether or not targets were met), 1 a section broke, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.context import Context, SectionSkipped, failed, skipped
from bench.dataset import Dataset, load, wheel_sample
from bench.immutability import part_figures, total_figures
from bench.report import Figure, Measured, Provenance, as_json, merged, provenance, read_json
from bench.sections import SECTIONS, section
from bench.server import COMMAND
from bench.table import markdown

_TOTAL = "immutability"
_PARTS = (*SECTIONS, _TOTAL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    options = _parser().parse_args(arguments)
    names = options.only.replace("-", "_").replace(" ", "").split(",") if options.only else list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    try:
        rows = [] if options.fresh else read_json(options.out / "bench.json")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    dataset = _dataset(options.data)
    is_quick = options.quick or dataset.name != "data"
    is_broken = False
    for name in names:
        measured = _run(name, Context(dataset, is_quick, shlex.split(options.serve)))
        is_broken |= any(row.figure.name == "FAILED" for row in measured)
        rows = _with_total(merged(rows, measured, _PARTS), measured[0].run)
        _write(options.out, rows)
    print(markdown(rows))
    return 1 if is_broken else 0


def _run(name: str, context: Context) -> list[Measured]:
    """One section's rows, what its sessions say about immutability among them."""
    print(f"{name} …", file=sys.stderr, flush=True)
    run, started_s = provenance(name), time.perf_counter()
    figures = _figures(name, context) + part_figures(name, context.sessions, context.stillness)
    run = replace(run, took_s=time.perf_counter() - started_s, lag_p99_ms=context.worst_lag_ms)
    print(f"{name} took {run.took_s:.0f} s", file=sys.stderr, flush=True)
    return [Measured(figure, run) for figure in figures]


def _figures(name: str, context: Context) -> list[Figure]:
    try:
        return section(name)(context)
    except SectionSkipped as reason:
        return [skipped(name, str(reason))]
    except Exception as error:  # A broken section is a row of the table; the others still run.
        return [failed(name, error)]


def _with_total(rows: Sequence[Measured], newest: Provenance) -> list[Measured]:
    parts = [row for row in rows if row.run.part != _TOTAL]
    run = replace(newest, part=_TOTAL, took_s=0.0, lag_p99_ms=0.0)
    return [*parts, *(Measured(figure, run) for figure in total_figures(parts))]


def _write(directory: Path, rows: Sequence[Measured]) -> None:
    """Called after every section, so that nothing is lost."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "bench.md").write_text(markdown(rows), encoding="utf-8")
    (directory / "bench.json").write_text(as_json(rows), encoding="utf-8")


def _dataset(directory: Path) -> Dataset:
    try:
        return load(directory)
    except FileNotFoundError:
        print(
            f"no recorded speech under {directory}: a small version runs on the model wheel's own recording",
            file=sys.stderr,
        )
        return wheel_sample()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="recorded speech")
    parser.add_argument("--out", type=Path, default=Path("bench/out"), help="where the table is written")
    parser.add_argument("--quick", action="store_true", help="minutes instead of hours")
    parser.add_argument("--fresh", action="store_true", help="keep no rows of earlier runs")
    parser.add_argument("--serve", default=shlex.join(COMMAND), help="command that starts the server")
    parser.add_argument("--only", default="", help=f"comma-separated: {', '.join(SECTIONS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
