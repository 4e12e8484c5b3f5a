"""Edits to dicts that are written out: `{…}` and `dict(…)`. PURE."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.names import value_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import text_of

Element = cst.BaseDictElement | cst.Arg


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value`. `key_node` is a literal in `{…}`, the keyword's name in `dict(…)`."""

    key: str
    key_node: cst.BaseExpression
    value: cst.BaseExpression
    element: Element


def written_dict(code: PythonDocument, node: cst.BaseExpression | None) -> cst.Dict | cst.Call | None:
    """The dict that an expression is: written here, or the only value of a variable."""
    if isinstance(node, cst.Name | cst.Attribute):
        node = value_of(code, node)
    if isinstance(node, cst.Dict):
        return node
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "dict":
        return node
    return None


def entries(code: PythonDocument, node: cst.Dict | cst.Call) -> list[Entry]:
    """Entries whose keys the file tells."""
    found: list[Entry] = []
    if isinstance(node, cst.Call):
        return [Entry(a.keyword.value, a.keyword, a.value, a) for a in node.args if a.keyword is not None]
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = text_of(code, element.key)
            if key is not None:
                found.append(Entry(key, element.key, element.value, element))
    return found


def rename_key(code: PythonDocument, entry: Entry, key: str) -> Edit | None:
    """Another key for an entry; None where the key isn't written in the entry."""
    node = entry.key_node
    if isinstance(node, cst.SimpleString):
        span = code.span(node)
        return Edit(Span(span.start + len(node.prefix) + len(node.quote), span.end - len(node.quote)), key)
    is_keyword = isinstance(entry.element, cst.Arg)
    return code.replace(node, key) if is_keyword else None


def remove_entry(code: PythonDocument, node: cst.Dict | cst.Call, entry: Entry) -> Edit:
    """Without this entry: its lines where it has them for itself, else just its characters."""
    elements = _elements(node)
    position = next(i for i, element in enumerate(elements) if element is entry.element)
    start, end = code.span(entry.element).start, _end(code, entry.element)
    line_start = code.line_starts[code.place(start).line - 1]
    line = code.place(end).line
    line_end = code.line_starts[line] if line < len(code.line_starts) else len(code.text)
    rest = code.text[end:line_end].strip()
    if not code.text[line_start:start].strip() and (not rest or rest.startswith("#")):
        return Edit(Span(line_start, line_end), "")
    if position + 1 < len(elements):
        return Edit(Span(start, code.span(elements[position + 1]).start), "")
    return Edit(
        Span(_value_end(code, elements[position - 1]) if position else start, _value_end(code, entry.element)), ""
    )


def add_entry(code: PythonDocument, node: cst.Dict | cst.Call, key: str, value: str) -> list[Edit]:
    """One entry more, at the end, in the manner of the others."""
    elements = _elements(node)
    text = f"{key}={value}" if isinstance(node, cst.Call) else f"{_quote(elements)}{key}{_quote(elements)}: {value}"
    close = code.span(node).end - 1
    if not elements:
        return [Edit(Span(close, close), text)]
    last = elements[-1]
    end = _value_end(code, last)
    close_line = code.line_starts[code.place(close).line - 1]
    if not code.text[close_line:close].strip() and code.place(code.span(last).start).line < code.place(close).line:
        start = code.span(last).start
        line_start = code.line_starts[code.place(start).line - 1]
        indent = code.text[line_start:start]
        if not indent.strip():
            comma = [] if _has_comma(last) else [Edit(Span(end, end), ",")]
            return [*comma, Edit(Span(close_line, close_line), f"{indent}{text},{code.newline}")]
    return [Edit(Span(end, end), f", {text}")]


def _elements(node: cst.Dict | cst.Call) -> list[Element]:
    return [*node.args] if isinstance(node, cst.Call) else [*node.elements]


def _quote(elements: list[Element]) -> str:
    first = elements[0] if elements else None
    key = first.key if isinstance(first, cst.DictElement) else None
    return key.quote[0] if isinstance(key, cst.SimpleString) else '"'


def _has_comma(element: Element) -> bool:
    return isinstance(element.comma, cst.Comma)


def _value_end(code: PythonDocument, element: Element) -> int:
    return code.outer_span(element.value).end


def _end(code: PythonDocument, element: Element) -> int:
    """Where the element and its comma end."""
    return code.span(element.comma).end if isinstance(element.comma, cst.Comma) else _value_end(code, element)
