"""Whatever is brought to a door, nothing but its documented errors comes back; and no door is forgotten."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from door import Door
from doors import DOORS, NOT_FROM_OUTSIDE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import garbage, mutations

import tympan

PACKAGE = Path(tympan.__file__).parent

DECODES = {
    "loads",
    "raw_decode",
    "parse_json",
    "read_text",
    "read_bytes",
    "parse_qsl",
    "urlsplit",
    "unpack",
    "unpack_from",
    "b64decode",
    "frombuffer",
    "SoundFile",
    "ZipFile",
    "GetRootAs",
    "parse_module",
    "fromisoformat",
    "fromtimestamp",
    "read_wav_header",
    "load_cert_chain",
    "load_verify_locations",
    "create_default_context",
    "literal_eval",
    "jwt.decode",
    "SERVER_CODEC.decode",
}
"""Calls by which bytes or text become something else, by their last name or as they are written."""

names = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
quick = settings(
    max_examples=settings.default.max_examples // 3 if settings.default else 33,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@names
def test_nothing_but_the_documented_errors_comes_back(door: Door) -> None:
    @settings(quick, max_examples=max(1, quick.max_examples // (4 if door.is_slow else 1)))
    @given(st.one_of(mutations(door.seeds), mutations(door.seeds), garbage))
    def offer(data: bytes) -> None:
        door.offer(data, Path(folder))

    with TemporaryDirectory() as folder:
        for seed in door.seeds:
            door.offer(seed, Path(folder))
        offer()


def test_large_inputs_take_no_more_memory_and_time_than_their_size_allows() -> None:
    program = Path(__file__).with_name("big_inputs.py")
    byte_count = 5_000 if settings.get_current_profile_name() == "tympan" else 50_000

    ended = subprocess.run([sys.executable, program, str(byte_count)], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"


def test_every_table_of_doors_is_in_the_inventory() -> None:
    tables = [file.stem for file in Path(__file__).parent.glob("*_doors.py") if file.stem != Path(__file__).stem]

    assert len(tables) > 1
    assert {door.name for table in tables for door in import_module(table).DOORS} == {door.name for door in DOORS}
    assert len({door.name for door in DOORS}) == len(DOORS)


def decoding_functions() -> Iterator[str]:
    """Every function of the package that calls something of `DECODES`."""
    for file in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(("tympan", *file.relative_to(PACKAGE).with_suffix("").parts))
        for name, node in _functions(ast.parse(file.read_text(encoding="utf-8")), ()):
            calls = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
            written = {ast.unparse(call) for call in calls}
            if written & DECODES or {call.rpartition(".")[2] for call in written} & DECODES:
                yield f"{module}:{name}"


def _functions(node: ast.AST, above: tuple[str, ...]) -> Iterator[tuple[str, ast.AST]]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ClassDef):
            yield from _functions(inner, (*above, inner.name))
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield ".".join((*above, inner.name)), inner


def test_every_function_that_decodes_stands_behind_a_door() -> None:
    behind = {name for door in DOORS for name in door.decoders} | set(NOT_FROM_OUTSIDE)
    found = set(decoding_functions())

    assert found - behind == set(), "a decoder that no door tries: add it to one of *_doors.py"
    assert behind - found == set(), "gone, or called otherwise"
