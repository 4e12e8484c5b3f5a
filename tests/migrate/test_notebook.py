"""Notebooks: one program made of cells, of which only the source that changed is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tympan.migrate.discovery import all_rules
from tympan.migrate.document import Unreadable
from tympan.migrate.formats.notebook import Notebook
from tympan.migrate.rule import Target
from tympan.migrate.runner import fix

OLD = 'if msg["message_type"] == "SessionTerminated":\n    stop()'
NEW = 'if msg["type"] == "Termination":\n    stop()'


def code(source: str | list[str], **more: Any) -> dict[str, Any]:
    outputs = [{"name": "stdout", "output_type": "stream", "text": ["message_type\n"]}]
    return {"cell_type": "code", "metadata": {}, "outputs": outputs, "source": source, **more}


def notebook(*cells: dict[str, Any], language: str = "python", **layout: Any) -> str:
    metadata = {"kernelspec": {"language": language}}
    return json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4}, **(layout or {"indent": 1})) + "\n"


def fixed(text: str) -> str:
    opened = Notebook(text)
    return opened.rebuilt([fix(document, all_rules(), Target()).document for document in opened.documents])


def sources(text: str) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]


def test_a_name_of_one_cell_is_known_in_the_next() -> None:
    text = notebook(code("KEY = 'message_type'"), code('kind = msg[KEY]\nassert kind == "SessionTerminated"'))
    assert sources(fixed(text))[0] == "KEY = 'type'"


def test_only_the_source_that_changed_is_written() -> None:
    prose = {"cell_type": "markdown", "metadata": {"x": 1.50}, "source": ["# message_type \u00e9\n"]}
    text = notebook(prose, code("a = 1  # unused"), code(OLD.splitlines(keepends=True), execution_count=3))
    changed = [line for line in fixed(text).splitlines() if line not in text.splitlines()]
    assert changed == ['    "if msg[\\"type\\"] == \\"Termination\\":\\n",']


@pytest.mark.parametrize("layout", [{"indent": 1}, {"indent": 4}, {"separators": (",", ":")}])
@pytest.mark.parametrize("source", [OLD, OLD.splitlines(keepends=True)], ids=["a string", "lines"])
def test_a_notebook_keeps_its_layout(layout: dict[str, Any], source: str | list[str]) -> None:
    text = notebook(code(source), **layout)
    assert fixed(text) == text.replace('[\\"message_type', '[\\"type').replace("SessionTerminated", "Termination")


def test_characters_that_are_escaped_stay_escaped() -> None:
    text = notebook(code(OLD + "  # é"), ensure_ascii=True, indent=1)
    assert "\\u00e9" in fixed(text)
    assert "é" in fixed(notebook(code(OLD + "  # é"), ensure_ascii=False, indent=1))


@pytest.mark.parametrize(
    "magic", ["!pip install assemblyai", "%env KEY=1", "%%time", "import os\n!ls", "files = !ls\nlen(files)", "json?"]
)
def test_magics_stay(magic: str) -> None:
    assert sources(fixed(notebook(code(magic), code(OLD)))) == [magic, NEW]


def test_a_magic_may_be_all_that_a_block_holds() -> None:
    magic = "if True:\n    !ls\n" + OLD
    assert sources(fixed(notebook(code(magic)))) == ["if True:\n    !ls\n" + NEW]


def test_a_percent_sign_that_goes_on_an_expression_is_no_magic() -> None:
    line = 'print("%d"\n% 3)'
    assert sources(fixed(notebook(code(line), code(OLD)))) == [line, NEW]


def test_a_cell_of_another_interpreter_is_left_out() -> None:
    script = "%%bash\necho 'message_type' | grep SessionTerminated"
    assert sources(fixed(notebook(code(script), code(OLD)))) == [script, NEW]


def test_a_notebook_in_another_language_is_left_alone() -> None:
    text = notebook(code("x <- 'SessionTerminated'"), language="R")
    assert fixed(text) == text


@pytest.mark.parametrize("metadata", [None, 3, {"language_info": "x"}, {"kernelspec": [], "language_info": None}])
def test_odd_metadata_is_no_hindrance(metadata: Any) -> None:
    cells = [code(OLD), 3, None, {"cell_type": "code"}, code([])]
    text = json.dumps({"cells": cells, "metadata": metadata})
    assert json.loads(fixed(text))["cells"] == [code(NEW), *cells[1:]]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cells": 3}', "not json", '{"cells": [}', "[" * 100_000, notebook(code([1]))]
)
def test_what_is_no_notebook_is_told(text: str) -> None:
    with pytest.raises(Unreadable):
        Notebook(text)


def test_a_cell_that_is_no_python_is_told_with_its_place() -> None:
    text = notebook(code("a = 1"), code("if if:"))
    with pytest.raises(Unreadable, match="a cell can't be parsed") as told:
        Notebook(text)
    assert text[told.value.offset :].startswith('"if if:"')


@pytest.mark.parametrize("source", [OLD, OLD.splitlines(keepends=True)], ids=["a string", "lines"])
def test_a_finding_stands_where_the_json_text_has_it(source: str | list[str]) -> None:
    text = notebook(code("a = 1"), code(source))
    opened = Notebook(text)
    offset = opened.documents[0].text.index('"message_type"')
    place = opened.place(0, offset)
    assert text.splitlines()[place.line - 1][place.column - 1 :].startswith('\\"message_type')
