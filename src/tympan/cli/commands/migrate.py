"""`tympan migrate`: find and rewrite what a program for the retired v2 protocol says and does."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tympan.cli.errors import needs_extra
from tympan.cli.exit_codes import ExitCode
from tympan.cli.output import print_result
from tympan.core.errors import UsageError

if TYPE_CHECKING:
    from tympan.migrate.project import FileResult, Wish

migrate = typer.Typer(
    help="Move programs from the v2 streaming protocol to v3: find what must change, change what can be.",
    no_args_is_help=True,
)


class ReportFormat(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


_Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, and folders to search.")]
_Format = Annotated[ReportFormat, typer.Option("--format", help="Text, JSON, or SARIF 2.1.0.")]
_Select = Annotated[
    list[str] | None, typer.Option("--select", metavar="CODES", help="Only these rules: TM001,TM006. Repeatable.")
]
_Ignore = Annotated[list[str] | None, typer.Option("--ignore", metavar="CODES", help="Not these rules. Repeatable.")]


@migrate.command("check")
def check(
    paths: _Paths,
    output_format: _Format = ReportFormat.TEXT,
    select: _Select = None,
    ignore: _Ignore = None,
) -> int:
    """Tell what must change. Writes nothing.

    Exit code 1 with findings, 0 without. A comment '# tympan: ignore[TM004]' hides that finding of its line,
    '# tympan: ignore' all of them.
    """
    with needs_extra("migrate"):
        from tympan.migrate.project import check_paths  # noqa: PLC0415  (libcst is an extra)
    wish = _wish(select, ignore)
    results = list(check_paths(paths, wish))
    _print_report(results, wish, output_format)
    return _exit_code(results)


@migrate.command("fix")
def fix(
    paths: _Paths,
    diff: Annotated[bool, typer.Option("--diff", help="Print what would change, and change nothing.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Also make changes that rest on a guess; look at the result.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="HOST",
            help="Where the rewritten programs connect to: localhost:8000, ws://localhost:8000. "
            "Default: the hosted service.",
        ),
    ] = None,
    output_format: _Format = ReportFormat.TEXT,
    select: _Select = None,
    ignore: _Ignore = None,
) -> int:
    """Change what can be changed, in place, and tell what is left.

    Exit code 1 if something is left to do (after --diff: if anything is), 0 if not. Fixing again changes nothing.
    Files keep their formatting, comments, line ends, encoding and rights.
    """
    with needs_extra("migrate"):
        from tympan.migrate.project import fix_paths  # noqa: PLC0415  (libcst is an extra)
        from tympan.migrate.report import diff as diff_of  # noqa: PLC0415
    wish = _wish(select, ignore, host, with_unsafe=unsafe)
    results = list(fix_paths(paths, wish, is_written=not diff))
    if not diff:
        _print_report(results, wish, output_format)
        return _exit_code(results)
    print_result("".join(map(diff_of, results)))
    _print_summary(results)
    return ExitCode.FAILURE if any(result.before != result.after for result in results) else _exit_code(results)


def _wish(
    select: Sequence[str] | None, ignore: Sequence[str] | None, host: str | None = None, *, with_unsafe: bool = False
) -> Wish:
    from tympan.migrate.discovery import selected_rules  # noqa: PLC0415
    from tympan.migrate.project import Wish  # noqa: PLC0415
    from tympan.migrate.rule import Target  # noqa: PLC0415

    try:
        rules = selected_rules(_codes(select), _codes(ignore))
        target = Target() if host is None else Target.of(host)
    except (UsageError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    return Wish(rules, target, with_unsafe)


def _codes(given: Sequence[str] | None) -> list[str]:
    return [code.strip().upper() for codes in given or () for code in codes.split(",") if code.strip()]


def _print_report(results: Sequence[FileResult], wish: Wish, output_format: ReportFormat) -> None:
    from importlib.metadata import version  # noqa: PLC0415  (slow)

    from tympan.migrate.report import render  # noqa: PLC0415

    print_result(render(results, wish.rules, output_format.value, version("tympan")))
    _print_summary(results)


def _print_summary(results: Sequence[FileResult]) -> None:
    from tympan.migrate.report import summary  # noqa: PLC0415

    typer.echo(summary(results), err=True)


def _exit_code(results: Sequence[FileResult]) -> ExitCode:
    return ExitCode.FAILURE if any(result.left for result in results) else ExitCode.OK
