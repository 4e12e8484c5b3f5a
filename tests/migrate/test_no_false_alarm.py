"""Programs for v3, for other services, and unrelated code: nothing to find, nothing to change."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
import websockets

from tympan.migrate.discovery import all_rules
from tympan.migrate.files import find_files
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.project import Wish, check_paths, fix_paths

HERE = Path(__file__).parent
V3_PROGRAMS = HERE / "v3_programs"


def findings(*paths: Path) -> list[str]:
    return [
        f"{found.path}:{found.start.line}: {found.finding.code} {found.finding.message}"
        for result in check_paths(paths, Wish(all_rules()))
        for found in result.left
    ]


def v3_programs() -> list[Path]:
    return list(find_files([V3_PROGRAMS]))


def test_there_are_v3_programs_of_every_kind_that_is_looked_at() -> None:
    kinds = {kind.name for path in v3_programs() if (kind := format_of(path.name)) is not None}
    assert kinds >= {"python", "settings", "json", "javascript"}


@pytest.mark.parametrize("path", v3_programs(), ids=lambda path: path.name)
def test_a_program_that_speaks_v3_or_something_else_has_no_finding(path: Path) -> None:
    assert findings(path) == []


def test_even_unsafe_fixes_leave_them_as_they_are() -> None:
    results = list(fix_paths([V3_PROGRAMS], Wish(all_rules(), with_unsafe=True), is_written=False))
    assert [result.path for result in results if result.after != result.before] == []


@pytest.mark.parametrize("module", [json, asyncio, httpx, websockets], ids=lambda module: module.__name__)
def test_unrelated_packages_have_no_finding(module: object) -> None:
    folder = Path(str(module.__file__)).parent  # type: ignore[attr-defined]
    assert findings(folder) == []
