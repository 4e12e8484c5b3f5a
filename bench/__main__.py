"""`python -m bench`: run the sections, write one table.

Exit codes: 0 all sections ran (whether or not targets were met), 1 a section broke, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.context import Context, SectionSkipped, failed, skipped
from bench.dataset import Dataset, load, wheel_sample
from bench.report import Figure, markdown, provenance, write
from bench.sections import SECTIONS, section
from bench.server import COMMAND


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    options = _parser().parse_args(arguments)
    names = options.only.replace("-", "_").split(",") if options.only else list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    dataset = _dataset(options.data)
    context = Context(dataset, options.quick or dataset.name != "data", shlex.split(options.serve))
    origin = provenance()
    figures: list[Figure] = []
    for name in names:
        started_s = time.perf_counter()
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += _run(name, context)
        print(f"{name} took {time.perf_counter() - started_s:.0f} s", file=sys.stderr, flush=True)
        write(options.out, figures, origin)
    print(markdown(figures, origin))
    return 1 if any(figure.name == "FAILED" for figure in figures) else 0


def _run(name: str, context: Context) -> list[Figure]:
    try:
        return section(name)(context)
    except SectionSkipped as reason:
        return [skipped(name, str(reason))]
    except Exception as error:  # A broken section is a row of the table; the others still run.
        return [failed(name, error)]


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
    parser.add_argument("--serve", default=shlex.join(COMMAND), help="command that starts the server")
    parser.add_argument("--only", default="", help=f"comma-separated: {','.join(SECTIONS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
