"""The generated reference is complete, well-formed, and fresh."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tympan.wire.v3 import reference
from tympan.wire.v3.messages import CLIENT_TYPES, SERVER_TYPES
from tympan.wire.v3.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "scripts" / "generate_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_parameter_older_name_and_message_is_in_the_reference():
    page = reference.render()
    for name in (name for parameter in PARAMETERS for name in parameter.names):
        assert f"`{name}`" in page
    for name in (*CLIENT_TYPES, *SERVER_TYPES):
        assert f"\n### {name}\n" in page


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    widths = [line.count("|") for line in reference.render().splitlines() if line.startswith("|")]
    assert set(widths) == {3 + 1, 4 + 1, 6 + 1, 2 + 1}


def test_no_name_is_given_to_two_parameters():
    names = [name for parameter in PARAMETERS for name in parameter.names]
    assert len(names) == len(set(names))


def test_the_committed_pages_are_fresh(generator):
    assert generator.stale_pages(ROOT) == []


def test_writing_makes_pages_fresh_and_an_edit_makes_them_stale(generator, tmp_path, capsys):
    assert generator.main(["--check"], root=tmp_path) == 1
    assert "docs/reference/protocol.md is stale" in capsys.readouterr().err
    assert generator.main([], root=tmp_path) == 0
    assert generator.main(["--check"], root=tmp_path) == 0
    (tmp_path / "docs/reference/protocol.md").write_text("edited")
    assert generator.main(["--check"], root=tmp_path) == 1
