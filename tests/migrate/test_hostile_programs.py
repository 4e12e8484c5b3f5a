"""Programs that nobody sane writes: told as unreadable where they are, and the files after them are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tympan.migrate.discovery import all_rules
from tympan.migrate.document import Unreadable
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.matching.parsing import parsed
from tympan.migrate.project import UNREADABLE_CODE, Wish, check_paths, fix_paths
from tympan.migrate.rule import Target
from tympan.migrate.runner import check

OLD_ADDRESS = "'wss://api.assemblyai.com/v2/realtime/ws'"


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5_000 + "1" + ")" * 5_000,
        "x = " + "[" * 100_000,
        "x = f'{" + "(" * 5_000 + "1" + ")" * 5_000 + "}'",
        "x = f'{" + "-" * 100_000 + "1}'",
        "x = " + "-" * 100_000 + "1",
        "x = " + "not " * 100_000 + "y",
        "x = " + "lambda: " * 100_000 + "y",
        "x = " + "1 if a else " * 100_000 + "1",
        "x = a" + ".a" * 100_000,
        "x = a" + " + a" * 100_000,
        "x = a" + "()" * 100_000,
        "if x:\n  pass\n" + "elif x:\n  pass\n" * 100_000,
        "match x:\n  case " + "[" * 25 + "a" + "]" * 25 + ":\n    pass\n",
        'x = """' + "a" * 100_000,
    ],
    ids=lambda text: text[:16],
)
def test_nesting_without_end_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable, match=r"nested too deeply|never ends"):
        parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 199 + "1" + ")" * 199,
        "x = [" + "'a', " * 5_000 + "]",
        "x = (" + "'a'\n" * 200 + ")",
        "x = ':(' + ':-('\n" + "\n".join(f"y{n} = ':('  # ((" for n in range(500)),
        "x = {" + "\n".join(f"'k{n}': f(a, [b, ({n})])," for n in range(500)) + "}",
        'x = f"{a["b"]}" if case else """[[["""',
        "x = 1 + \\\n  2",
    ],
    ids=lambda text: text[:16],
)
def test_what_people_and_generators_write_is_read(text: str) -> None:
    assert parsed(text).code == text


OLD_CLIENT = (
    f"import websockets, json\nURL = {OLD_ADDRESS}\nmsg = json.loads(await ws.recv())\n"
    "ws = websockets.connect(URL + str(RATE))\n"
)


@pytest.mark.parametrize("line", [r"x = {'\xZZ': 1}", r"ws.send('\N{foo}')", "x = b'é'", r"x = '' '\xZZ'"])
def test_a_text_that_python_cannot_read_is_unreadable(line: str) -> None:
    kind = format_of("a.py")
    assert kind is not None
    with pytest.raises(Unreadable, match="a text that Python can't read"):
        kind.open(OLD_CLIENT + line)


@pytest.mark.parametrize(
    "line",
    [
        "RATE = int(os.getenv('X', '²'))",
        f"RATE = int(os.getenv('X', '{'9' * 5_000}'))",
        f"if code == {'9' * 5_000}: pass",
        r"json.dumps({'\d': 1})",
    ],
    ids=lambda line: line[:30],
)
def test_odd_numbers_and_escapes_are_no_obstacle(line: str) -> None:
    kind = format_of("a.py")
    assert kind is not None
    for document in kind.open(f"{OLD_CLIENT}{line}\nparams = {{'sample_rate': RATE}}\n").documents:
        assert check(document, all_rules(), Target())


def test_a_notebook_cell_nested_without_end_is_unreadable() -> None:
    notebook = format_of("a.ipynb")
    assert notebook is not None
    with pytest.raises(Unreadable, match="can't be parsed"):
        notebook.open('{"cells": [{"cell_type": "code", "source": "x = ' + "(" * 5_000 + '"}]}')


def test_a_program_too_deep_for_the_rules_is_told_and_the_next_file_is_read(tmp_path: Path) -> None:
    deep, plain = tmp_path / "a_deep.py", tmp_path / "b_plain.py"
    deep.write_text(f"x = {OLD_ADDRESS}" + " + a" * 500, encoding="utf-8")
    plain.write_text(f"x = {OLD_ADDRESS}\n", encoding="utf-8")

    wish = Wish(all_rules())
    for results in (list(check_paths([tmp_path], wish)), list(fix_paths([tmp_path], wish, is_written=False))):
        codes = {result.path.name: {found.finding.code for found in result.left} for result in results}
        assert codes["a_deep.py"] == {UNREADABLE_CODE}
        assert results[1].left or results[1].fixed
