"""The programs of the corpus run: as they are against v2, and as `fix` leaves them against v3."""

from __future__ import annotations

import json
import re
import shutil
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from corpus import CORPUS, PROGRAMS, SENTENCE, Program, Run, Score
from performances import KEY, V2_HOST, V3_HOST, Performance, Stage, Vendor
from vendor_server import serve, speech
from websockets.sync.client import connect

from third_party import Environment
from tympan.migrate.discovery import all_rules
from tympan.migrate.project import FileResult, Wish, check_paths, fix_paths
from tympan.migrate.rule import Finding, Target

Performances = dict[str, "Future[Performance]"]
RUN = [pytest.param(program, id=program.name) for program in CORPUS if program.run is not Run.NEVER]
ALL = [pytest.param(program, id=program.name) for program in CORPUS]
_AT_ONCE = 4
"""Programs mostly wait for their audio to be spoken."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A program that was fixed, where it is, and what the fix said."""

    folder: Path
    left: list[Finding]


Rewrite = Callable[[Program], Rewritten]


def rewrite(folder: Path, *, with_unsafe: bool = False, target: Target | None = None) -> list[FileResult]:
    """Fix what can be fixed, in place."""
    return list(fix_paths([folder], Wish(all_rules(), target or Target(), with_unsafe), is_written=True))


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Rewrite:
    """Fixes a program of the corpus, once, without `--unsafe`."""
    parent = tmp_path_factory.mktemp("rewritten")

    @cache
    def fix_once(program: Program) -> Rewritten:
        folder = shutil.copytree(program.folder, parent / program.name)
        return Rewritten(folder, [found.finding for result in rewrite(folder) for found in result.left])

    return fix_once


@contextmanager
def performed(stage: Stage, parent: Path, source: Callable[[Program], Path]) -> Iterator[Performances]:
    """Every program that is run, several at once, each in a folder of its own with a recording in it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        performances: Performances = {}
        for program in CORPUS:
            if program.run is not Run.NEVER:
                folder = shutil.copytree(source(program), parent / program.name)
                shutil.copy(stage.recording, folder / "speech.wav")
                performances[program.name] = pool.submit(stage.perform, program, folder)
        yield performances


@pytest.fixture(scope="module")
def before(
    third_party: Callable[[str], Environment], vendor: Vendor, recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Performances]:
    """What the programs print as they are, against v2."""
    stage = Stage(third_party("v2-programs"), vendor, V2_HOST, recording)
    with performed(stage, tmp_path_factory.mktemp("before"), lambda program: program.folder) as performances:
        yield performances


@pytest.fixture(scope="module")
def after(
    third_party: Callable[[str], Environment],
    vendor: Vendor,
    recording: Path,
    rewritten: Rewrite,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Performances]:
    """What they print once they are fixed, against v3."""
    stage = Stage(third_party("v3-programs"), vendor, V3_HOST, recording)
    finished = tmp_path_factory.mktemp("finished")

    def source(program: Program) -> Path:
        if not program.needs_unsafe:
            return rewritten(program).folder
        folder = shutil.copytree(program.folder, finished / program.name)
        rewrite(folder, with_unsafe=True)
        return folder

    with performed(stage, tmp_path_factory.mktemp("after"), source) as performances:
        yield performances


@pytest.mark.parametrize("program", RUN)
def test_the_program_runs_against_v2(program: Program, before: Performances) -> None:
    performance = before[program.name].result()
    assert performance.count(program.prints) == 1, performance.output


@pytest.mark.parametrize("program", RUN)
def test_the_rewritten_program_runs_against_v3_and_ends(program: Program, after: Performances) -> None:
    performance = after[program.name].result()
    assert performance.count(program.prints) == 1, performance.output
    assert performance.has_ended, performance.output


@pytest.mark.parametrize("program", ALL)
def test_what_is_left_to_do_is_what_the_score_table_says(program: Program, rewritten: Rewrite) -> None:
    left = rewritten(program).left
    assert tuple(sorted({finding.code for finding in left})) == program.remains
    assert (program.score is Score.AUTOMATIC) == (not left) == (not program.to_do)


@pytest.mark.parametrize("program", ALL)
def test_fixing_a_second_time_changes_nothing(program: Program, rewritten: Rewrite) -> None:
    results = list(fix_paths([rewritten(program).folder], Wish(all_rules()), is_written=False))
    assert [result.path for result in results if result.fixed or result.after != result.before] == []


def test_a_program_can_be_pointed_at_another_server(
    third_party: Callable[[str], Environment], vendor: Vendor, recording: Path, tmp_path: Path
) -> None:
    stage = Stage(third_party("v3-programs"), vendor, "", recording)
    program = next(program for program in CORPUS if program.name == "guide")
    shutil.copytree(program.folder, tmp_path / "guide")
    rewrite(tmp_path / "guide", target=Target.of(f"wss://127.0.0.1:{vendor.port}"))
    performance = stage.perform(program, tmp_path / "guide")
    assert performance.count(SENTENCE) == 1, performance.output


def test_an_address_in_settings_opens_a_session(vendor: Vendor, tmp_path: Path) -> None:
    shutil.copytree(PROGRAMS / "settings_only", tmp_path / "settings")
    rewrite(tmp_path / "settings", target=Target.of(f"wss://127.0.0.1:{vendor.port}"))
    lines = (tmp_path / "settings" / ".env").read_text().splitlines()
    (address,) = (line.partition("=")[2] for line in lines if line.startswith("STT_WS_URL="))
    trusted = ssl.create_default_context(cafile=vendor.certificate)
    headers = {"Authorization": KEY}
    with connect(address, additional_headers=headers, ssl=trusted, compression=None, open_timeout=60) as session:
        assert json.loads(session.recv(timeout=60))["type"] == "Begin"


@pytest.mark.parametrize("program", ALL)
def test_every_program_needs_the_migration(program: Program) -> None:
    assert any(result.left for result in check_paths([program.folder], Wish(all_rules())))


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """A server that really listens."""
    folder = tmp_path_factory.mktemp("listener")
    speech(folder / "speech.wav", 0.1)  # skips the test where the model isn't made for the machine
    yield from serve(folder)


@pytest.mark.parametrize("name", ["threads_file", "sdk_class"])
def test_what_is_said_is_heard_before_and_after(
    name: str,
    third_party: Callable[[str], Environment],
    listener: Vendor,
    rewritten: Rewrite,
    tmp_path: Path,
) -> None:
    program = next(program for program in CORPUS if program.name == name)
    talk = speech(tmp_path / "talk.wav", 5.0)
    old = Stage(third_party("v2-programs"), listener, V2_HOST, talk)
    new = Stage(third_party("v3-programs"), listener, V3_HOST, talk)
    with ThreadPoolExecutor(2) as pool:
        heard_before = pool.submit(old.perform, program, program.folder)
        heard_after = new.perform(program, rewritten(program).folder)
    for performance in (heard_before.result(), heard_after):
        assert re.search(r"Ever tried\..*Ever failed\..*No matter\.", performance.output, re.DOTALL), performance.output
