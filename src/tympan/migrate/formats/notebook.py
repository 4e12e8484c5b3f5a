"""Jupyter notebooks: their code cells, one after the other, are one Python program. PURE.

Only the source of cells that changed is written, in the way the notebook writes it; outputs, metadata and all other
cells stay byte for byte. Between the cells stand comments that no rule may remove. Magics (`%time`, `!pip …`) are
comments while the rules look on; a cell that another interpreter runs (`%%bash`) is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tympan.migrate.document import Document, Edit, Place, Span, Unreadable, apply_edits
from tympan.migrate.formats.json_text import elements, members, root_of
from tympan.migrate.formats.opened import Format, OpenedFile
from tympan.migrate.matching.parsing import parsed
from tympan.migrate.matching.source import PythonDocument

_MARK = re.compile(r"^#%%tympan cell (\d+) of (\d+)$", re.MULTILINE)
_MAGIC = "#%%tympan magic "
_HIDDEN = re.compile(rf"(?P<indent>[ \t]*)(?:pass  )?{_MAGIC}(?P<line>.*)")
_OTHER_LANGUAGE = re.compile(r"\s*%%(?!(?:time|timeit|capture|prun)\b)\w+")
"""Cell magics whose cell isn't Python that runs here; the named ones run it."""


class NotebookCode(PythonDocument):
    """The code of a notebook, with a comment above each cell."""

    def __init__(self, text: str, context: frozenset[str] = frozenset()) -> None:
        super().__init__(text, context)
        marks = [(int(mark[1]), int(mark[2])) for mark in _MARK.finditer(text)]
        if marks != [(number, len(marks)) for number in range(len(marks))]:
            raise Unreadable("an edit took away the place between two cells")

    def cells(self) -> list[str]:
        """The cells as they are in the notebook, magics and all."""
        above, *marked = _MARK.split(self.text)
        parts = [part[1:-1] for part in marked[2::3]]
        return ["\n".join(map(_shown, part.split("\n"))) for part in (above + parts[0], *parts[1:])]


@dataclass(frozen=True, slots=True)
class Cell:
    """Code of a notebook and where its source stands in the JSON text. `lines` are empty where it is one string."""

    code: str
    span: Span
    lines: tuple[Span, ...] = ()


class Notebook(OpenedFile):
    """A notebook, opened."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._cells = [cell for cell in _code_cells(text) if not _OTHER_LANGUAGE.match(cell.code)]
        marked = [
            f"#%%tympan cell {number} of {len(self._cells)}\n{_readable(cell)}\n"
            for number, cell in enumerate(self._cells)
        ]
        self.documents: Sequence[Document] = (NotebookCode("".join(marked)),) if marked else ()

    def rebuilt(self, documents: Sequence[Document]) -> str:
        edits = [
            Edit(cell.span, _written(self._text, cell, code))
            for document in documents
            if isinstance(document, NotebookCode)
            for cell, code in zip(self._cells, document.cells(), strict=True)
            if code != cell.code
        ]
        return apply_edits(self._text, edits)

    def place(self, index: int, offset: int) -> Place:
        document = self.documents[index]
        above = list(_MARK.finditer(document.text, 0, offset)) or list(_MARK.finditer(document.text))[:1]
        cell = self._cells[int(above[-1][1])]
        inside = document.place(offset)
        line = inside.line - document.place(above[-1].start()).line - 1
        return self._line_place(cell, max(line, 0), inside.column)

    def _line_place(self, cell: Cell, line: int, column: int) -> Place:
        """Where in the JSON text the character of a cell stands."""
        lines = cell.code.split("\n")
        line = min(line, len(lines) - 1)
        start = cell.lines[min(line, len(cell.lines) - 1)].start if cell.lines else cell.span.start
        before = lines[line][: column - 1] if cell.lines else "\n".join([*lines[:line], lines[line][: column - 1]])
        written = Document(self._text).place(start)
        return Place(written.line, written.column + len(_as_json(self._text, before)) - 1)


def _code_cells(text: str) -> Iterator[Cell]:
    """Cells of Python code.

    Raises:
        Unreadable: this is no notebook.
    """
    root = root_of(text)
    notebook = json.loads(text)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise Unreadable("not a notebook: it has no list of cells")
    if not _is_python(notebook.get("metadata")):
        return
    cells = dict(members(text, root))["cells"]
    for cell in elements(text, cells.start):
        yield from _code_cell(text, cell)


def _is_python(metadata: Any) -> bool:
    names = [_entry(_entry(metadata, "language_info"), "name"), _entry(_entry(metadata, "kernelspec"), "language")]
    return all(name in (None, "python", "ipython") for name in names)


def _entry(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _code_cell(text: str, span: Span) -> Iterator[Cell]:
    cell = json.loads(text[span.start : span.end])
    if _entry(cell, "cell_type") != "code" or not cell.get("source"):
        return
    source, place = cell["source"], dict(members(text, span.start))["source"]
    if isinstance(source, str):
        yield Cell(source, place)
    elif isinstance(source, list) and all(isinstance(line, str) for line in source):
        yield Cell("".join(source), place, tuple(elements(text, place.start)))
    else:
        raise Unreadable("not a notebook: the source of a cell is no text", place.start)


def _readable(cell: Cell) -> str:
    """The code of a cell, magics hidden if it is no Python otherwise.

    Raises:
        Unreadable: it is no Python.
    """
    if _parses(cell.code):
        return cell.code
    hidden = "\n".join(map(_hidden, cell.code.split("\n")))
    if not _parses(hidden):
        raise Unreadable("a cell can't be parsed as Python", cell.span.start)
    return hidden


def _parses(code: str) -> bool:
    try:
        parsed(code)
    except Unreadable:
        return False
    return True


def _hidden(line: str) -> str:
    """A magic as a comment; in a block, which may hold nothing else, with a statement before it."""
    bare = line.lstrip(" \t")
    is_assigned = re.match(r"[\w., \t]+=\s*[!%]", bare)
    if not bare.startswith(("!", "%", "?")) and not bare.rstrip().endswith("?") and not is_assigned:
        return line
    indent = line[: len(line) - len(bare)]
    return f"{indent}pass  {_MAGIC}{bare}" if indent else f"{_MAGIC}{bare}"


def _shown(line: str) -> str:
    """The opposite of `_hidden`."""
    found = _HIDDEN.fullmatch(line)
    return line if found is None else found["indent"] + found["line"]


def _written(text: str, cell: Cell, code: str) -> str:
    """The source of a cell as this notebook writes it."""
    if not cell.lines:
        return _as_json(text, code)
    head = text[cell.span.start + 1 : cell.lines[0].start]
    tail = text[cell.lines[-1].end : cell.span.end - 1]
    return "[" + head + f",{head}".join(_as_json(text, line) for line in code.splitlines(keepends=True)) + tail + "]"


def _as_json(text: str, value: str) -> str:
    return json.dumps(value, ensure_ascii=text.isascii() and "\\u" in text)


NOTEBOOK = Format("notebook", (".ipynb",), Notebook)
