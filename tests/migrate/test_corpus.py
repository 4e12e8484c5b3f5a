"""The programs of the corpus run: as they are against the old protocol, and as `fix` leaves them against the new one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from corpus import CORPUS, Program, Run, Score
from performances import V2_HOST, V3_HOST, Performance, Stage, Vendor

from third_party import Environment
from tympan.migrate.discovery import all_rules
from tympan.migrate.files import find_files
from tympan.migrate.project import FileResult, Wish, fix_paths

Performances = dict[str, "Future[Performance]"]
RUN = [pytest.param(program, id=program.name) for program in CORPUS if program.run is not Run.NEVER]
ALL = [pytest.param(program, id=program.name) for program in CORPUS]
_AT_ONCE = 6
"""Programs mostly wait for their audio to be spoken."""


def rewrite(folder: Path) -> list[FileResult]:
    """Fix what can be fixed without --unsafe, in place."""
    return list(fix_paths([folder], Wish(all_rules()), is_written=True))


def copies(stage: Stage, folder: Path) -> Iterator[tuple[Program, Path]]:
    """A folder for each program that is run, with a recording beside it."""
    for program in CORPUS:
        if program.run is not Run.NEVER:
            shutil.copytree(program.folder, folder / program.name)
            shutil.copy(stage.recording, folder / program.name / "speech.wav")
            yield program, folder / program.name


@pytest.fixture(scope="module")
def before(
    third_party: Callable[[str], Environment], vendor: Vendor, recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Performances]:
    """What the programs print as they are, against v2."""
    stage = Stage(third_party("v2-programs"), vendor, V2_HOST, recording)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        folders = copies(stage, tmp_path_factory.mktemp("before"))
        yield {program.name: pool.submit(stage.perform, program, folder) for program, folder in folders}


@pytest.fixture(scope="module")
def after(
    third_party: Callable[[str], Environment], vendor: Vendor, recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Performances]:
    """What they print once they are fixed, against v3."""
    stage = Stage(third_party("v3-programs"), vendor, V3_HOST, recording)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        performances: Performances = {}
        for program, folder in copies(stage, tmp_path_factory.mktemp("after")):
            rewrite(folder)
            performances[program.name] = pool.submit(stage.perform, program, folder)
        yield performances


@pytest.mark.parametrize("program", RUN)
def test_the_program_runs_against_v2(program: Program, before: Performances) -> None:
    performance = before[program.name].result()
    assert performance.count(program.prints) == 1, performance.output


@pytest.mark.parametrize("program", RUN)
def test_the_rewritten_program_runs_against_v3_and_ends(program: Program, after: Performances) -> None:
    if not program.runs_after:
        pytest.skip("it has to be finished by hand")
    performance = after[program.name].result()
    assert performance.count(program.prints) == 1, performance.output
    assert performance.has_ended, performance.output


@pytest.mark.parametrize("program", ALL)
def test_what_is_left_to_do_is_what_the_score_table_says(program: Program, tmp_path: Path) -> None:
    shutil.copytree(program.folder, tmp_path / program.name)
    left = [found.finding for result in rewrite(tmp_path / program.name) for found in result.left]
    assert tuple(sorted({finding.code for finding in left})) == program.remains
    assert (program.score is Score.AUTOMATIC) == (not left)


@pytest.mark.parametrize("program", ALL)
def test_fixing_a_second_time_changes_nothing(program: Program, tmp_path: Path) -> None:
    shutil.copytree(program.folder, tmp_path / program.name)
    rewrite(tmp_path / program.name)
    texts = {path: path.read_bytes() for path in find_files([tmp_path])}
    assert not [result.path for result in rewrite(tmp_path / program.name) if result.fixed]
    assert {path: path.read_bytes() for path in find_files([tmp_path])} == texts


@pytest.mark.parametrize("program", ALL)
def test_every_program_needs_the_migration(program: Program, tmp_path: Path) -> None:
    results = list(fix_paths([program.folder], Wish(all_rules()), is_written=False))
    assert any(result.fixed or result.left for result in results)
    assert not list(tmp_path.iterdir())
