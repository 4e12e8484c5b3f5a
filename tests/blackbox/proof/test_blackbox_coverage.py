"""The suite is whole: whatever our own reference names is checked, and the suite knows nothing of our code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from message_shapes import CONFIGURATION, SHAPES, WORD, Shape
from parameter_rows import ELSEWHERE, OWN_ROWS, PARAMETER_ROWS, REFUSED_ON_US_WHEN_STRICT
from test_blackbox_close_codes import CLOSE_CODES
from update_rows import UPDATE_ROWS
from v2_rows import V2_CLOSE_CODES, V2_NEVER_SENT, V2_PARAMETERS, V2_SHAPES

SUITE = Path(__file__).parents[1]
REFERENCE = SUITE.parents[1] / "docs" / "reference"
V3 = (REFERENCE / "protocol.md").read_text(encoding="utf-8")
V2 = (REFERENCE / "protocol-v2.md").read_text(encoding="utf-8")
COMPATIBILITY = (REFERENCE / "compatibility.md").read_text(encoding="utf-8")
KNOWS_OUR_CODE = {"failing_engine.py"}
"""It runs in a server's process."""


def section(text: str, title: str) -> str:
    """What stands under a heading, down to the next one of its rank or a higher one."""
    rank = len(title) - len(title.lstrip("#"))
    _, _, rest = text.partition(f"\n{title}\n")
    return re.split(rf"\n#{{1,{rank}}} ", rest)[0]


def rows(text: str) -> Iterator[list[str]]:
    """Cells of the lines of tables, headings left out."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    for line, following in pairwise([*lines, ""]):
        if not line.startswith("| ---") and not following.startswith("| ---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def names(text: str) -> set[str]:
    """What stands in the first column."""
    return {row[0].strip("`") for row in rows(text)}


PARAMETERS = section(V3, "## Connection parameters")
OLDER_NAMES = set(re.findall(r"older names? `(\w+)`", PARAMETERS))


def test_every_parameter_of_the_reference_is_checked_and_no_other() -> None:
    checked = {name for row in (*PARAMETER_ROWS, *OWN_ROWS) for name in (row.name, *row.aliases)}
    assert names(PARAMETERS) | OLDER_NAMES == checked | set(ELSEWHERE)


def test_a_parameter_that_is_checked_elsewhere_is_named_there() -> None:
    for name, module in ELSEWHERE.items():
        assert f"{name}=" in (SUITE / f"{module}.py").read_text(encoding="utf-8")


def test_every_parameter_that_can_be_wrong_has_a_wrong_value() -> None:
    free_text = {"speech_model", "webhook_url", "webhook_auth_header_name", "webhook_auth_header_value"}
    free_text |= {"formatted_finals", "word_finalization_max_wait_time"}
    assert {row.name for row in PARAMETER_ROWS if not row.refused} <= free_text


def reported(state: str = "", *, strict: str = "") -> set[str]:
    """Parameters that the compatibility report says this of: their own names, without older ones."""
    told = rows(section(COMPATIBILITY, "## v3: connection parameters"))
    return {row[0].split(",")[0].strip("`") for row in told if state in row[1] and strict in row[3]}


def test_what_strict_servers_refuse_is_what_the_compatibility_report_says() -> None:
    clamped = {row.name for row in PARAMETER_ROWS if row.clamped}
    assert clamped == reported(strict="a number out of range") | {"speech_model"}
    refused_on_us = {query.partition("=")[0] for query in REFUSED_ON_US_WHEN_STRICT}
    assert refused_on_us == reported(strict="a model that isn't U3")


def test_what_is_refused_for_want_of_it_is_what_the_compatibility_report_says() -> None:
    assert reported("refused") <= {row.name for row in PARAMETER_ROWS if row.unserved}


def test_every_field_of_an_update_is_checked() -> None:
    fields = names(section(V3, "### UpdateConfiguration"))
    assert fields == {row.name for row in UPDATE_ROWS}
    updatable = {row[0].strip("`") for row in rows(PARAMETERS) if row[4] == "yes"}
    assert updatable <= fields


def test_every_model_of_the_reference_is_asked_for() -> None:
    models = [row for row in (*PARAMETER_ROWS, *OWN_ROWS) if row.name == "speech_model"]
    asked = {value for row in models for value in (*row.taken, *row.clamped)}
    families = {name for name in names(section(V3, "## Models")) if "…" in name or " " in name}
    assert names(section(V3, "## Models")) - families <= asked


def close_code_rows(text: str) -> set[tuple[int, str]]:
    """Code and occasion of each row of the table of close codes."""
    return {(int(row[0]), row[1]) for row in rows(section(text, "## Close codes"))}


def test_every_row_of_the_close_codes_has_its_check() -> None:
    told = close_code_rows(V3)
    assert "closes the connection with code 1009" in section(V3, "## Close codes")
    assert told | {(1009, "a WebSocket message too long")} == set(CLOSE_CODES)
    for module, function in CLOSE_CODES.values():
        assert callable(getattr(import_module(module), function)), f"{module}.{function}"


def message_names(text: str) -> set[str]:
    return set(re.findall(r"^### (\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_field_of_a_message_is_checked(name: str) -> None:
    """Those of messages that our server never sends are the protocol's own."""
    titles = [f"### {name}", f"### {name} (server)"]
    fields = set().union(*(names(section(V3, title)) for title in titles))
    if name in ("SpeakerRevision", "LLMGatewayResponse") and not fields:
        pytest.skip("not in our reference: never sent")
    assert fields, f"the reference has no table for {name}"
    assert fields <= set(SHAPES[name])


def test_every_server_message_of_the_reference_has_its_shape() -> None:
    told = message_names(section(V3, "## Server messages"))
    told |= set(re.findall(r"^### (\w+) \(server\)", V3, re.MULTILINE))
    assert told <= set(SHAPES)


@pytest.mark.parametrize(("title", "shape"), [("### Configuration", CONFIGURATION), ("### Word", WORD)])
def test_every_field_of_a_part_of_a_message_is_checked(title: str, shape: Shape) -> None:
    assert names(section(V3, title)) <= set(shape)


def test_every_parameter_of_v2_is_checked() -> None:
    assert names(section(V2, "## Connection parameters")) == V2_PARAMETERS


def test_every_row_of_the_close_codes_of_v2_has_its_check() -> None:
    told = close_code_rows(V2)
    never = {(code, when) for code, when in told if when == "never sent"}
    assert {code for code, _ in never} == V2_NEVER_SENT
    assert told - never == set(V2_CLOSE_CODES)
    for module, function in V2_CLOSE_CODES.values():
        assert callable(getattr(import_module(module), function)), f"{module}.{function}"


def test_every_message_of_v2_has_its_shape() -> None:
    messages = message_names(section(V2, "## Server messages"))
    assert messages == set(V2_SHAPES)
    for name in messages:
        assert names(section(V2, f"### {name}")) == set(V2_SHAPES[name])


@pytest.mark.parametrize("path", sorted(SUITE.glob("*.py")), ids=lambda path: path.name)
def test_the_suite_knows_nothing_of_our_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [name for name in imported if name.split(".")[0] == "tympan"]
    assert not ours or path.name in KNOWS_OUR_CODE
