"""The query of an address, read out of the text that it is written in. PURE."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

import libcst as cst

from tympan.migrate.document import Span
from tympan.migrate.matching.names import is_call_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import Piece, literal

_PLACEHOLDER = re.compile(r"%[sd]|[{}]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`key=value`. `source`: Python that makes the value, for urlencode."""

    key: str
    source: str


@dataclass(frozen=True, slots=True)
class Query:
    """What follows the question mark of an address.

    `mark`: the piece with the question mark; `start`: where in the document its query begins. `encoded`: what is
    given to `urlencode`, if the query is that call.
    """

    mark: Piece
    start: int
    parameters: tuple[Parameter, ...]
    encoded: cst.BaseExpression | None = None


def query_of(code: PythonDocument, parts: list[Piece]) -> Query | None:
    """The query of an address; None: it has none here, or one that can't be read."""
    for index, piece in enumerate(parts):
        if piece.value is None and piece.text is not None and "?" in piece.text:
            position = piece.text.index("?") + 1
            if piece.span is None:
                return None
            rest = [Piece(piece.text[position:]), *parts[index + 1 :]]
            rest = [part for part in rest if part.value is not None or part.text]
            start = piece.span.start + position
            encoded = _encoded(code, rest)
            if encoded is not None:
                return Query(piece, start, (), encoded)
            parameters = _parameters(code, rest)
            return None if parameters is None else Query(piece, start, parameters)
    return None


def _encoded(code: PythonDocument, rest: list[Piece]) -> cst.BaseExpression | None:
    if len(rest) != 1 or not is_call_of(code, rest[0].value or cst.Name("_"), "urllib.parse.urlencode"):
        return None
    call = rest[0].value
    return call.args[0].value if isinstance(call, cst.Call) and call.args else None


def _parameters(code: PythonDocument, rest: list[Piece]) -> tuple[Parameter, ...] | None:
    """None: a value, or a key, is put together in a way that isn't followed."""
    fields: list[tuple[str, list[Piece]]] = []
    for piece in rest:
        if piece.value is not None:
            if not fields or not fields[-1][0]:
                return None
            fields[-1][1].append(piece)
            continue
        for number, text in enumerate((piece.text or "").split("&")):
            if number == 0 and fields:
                if text:
                    fields[-1][1].append(Piece(text))
                continue
            key, _, value = text.partition("=")
            fields.append((key, [Piece(value)] if value else []))
    found = [(key, _source(code, values)) for key, values in fields if key or values]
    if any(not key or source is None for key, source in found):
        return None
    return tuple(Parameter(key, source or "") for key, source in found)


def _source(code: PythonDocument, values: list[Piece]) -> str | None:
    if len(values) == 1 and values[0].value is not None:
        return code.source(_unquoted(code, values[0].value))
    if any(piece.value is not None or piece.text is None for piece in values):
        return None
    raw = "".join(piece.text or "" for piece in values)
    if _PLACEHOLDER.search(raw):
        return None  # filled in later, elsewhere
    text = unquote_plus(raw)
    if text.isascii() and text.isdigit():
        return str(int(text))
    return {"true": "True", "false": "False"}.get(text.lower(), literal(text))


def _unquoted(code: PythonDocument, node: cst.BaseExpression) -> cst.BaseExpression:
    """What `quote` is given: urlencode quotes by itself."""
    if is_call_of(code, node, "urllib.parse.quote", "urllib.parse.quote_plus") and isinstance(node, cst.Call):
        return node.args[0].value
    return node


def is_template(parts: list[Piece]) -> bool:
    """Whether the query is one literal with places to fill in later."""
    last = parts[-1] if parts else Piece(None)
    return last.span is not None and "?" in (last.text or "") and _PLACEHOLDER.search(last.text or "") is not None


def span_to_end(code: PythonDocument, query: Query, root: cst.BaseExpression) -> Span:
    """From behind the question mark to the end of the whole text."""
    return Span(query.start, code.span(root).end)
