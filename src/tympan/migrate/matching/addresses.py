"""Addresses of the old service, and the edits that make them those of the new one. PURE.

An address is looked at as one text, wherever its parts are written; each change is made where its characters
stand: in the address, or in a constant that only such addresses use. A constant that others need is left as it
is, and its new value written into the address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.names import uses, value_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import UNKNOWN, Piece, address_roots, flat, literal, pieces

OLD_HOST = r"api(?P<region>\.eu|\.us)?\.assemblyai\.com(?::\d+)?"
_OLD_ORIGIN = re.compile(rf"(?:(?P<scheme>\w+)://)?(?P<host>{OLD_HOST})$")
_ANY_ORIGIN = re.compile(r"(?:(?P<scheme>\w+)://)(?P<host>[^/?\0]+)$")


@dataclass(frozen=True, slots=True)
class Move:
    """From a path to another one, at `origin` (scheme and host); `hosted`: that of the vendor."""

    old_path: str
    new_path: str
    origin: str
    hosted: str


@dataclass(frozen=True, slots=True)
class _Change:
    """Characters of an address, and what comes in their place."""

    start: int
    end: int
    text: str


def moved(code: PythonDocument, parts: list[Piece], move: Move) -> list[Edit] | None:
    """The edits that move an address, made of these pieces; None: a part is written with escapes, or nowhere."""
    whole = flat(parts)
    at = whole.find(move.old_path)
    if at < 0:
        return None
    edits: list[Edit] = []
    for change in (*_origin(parts, whole[:at], move), *_path(parts, at, move)):
        placed = _placed(code, parts, change, move)
        if placed is None:
            return None
        edits += placed
    return edits


def moved_origin(code: PythonDocument, node: cst.SimpleString, move: Move) -> list[Edit]:
    """The same for a literal that is nothing but the host, or the scheme and the host."""
    parts = pieces(code, node)
    edits: list[Edit] = []
    for change in _origin(parts, (parts[0].text or "").rstrip("/"), move):
        edits += _placed(code, parts, change, move) or []
    return edits


def _origin(parts: list[Piece], before: str, move: Move) -> list[_Change]:
    """Scheme and host, which end the text in front of the path."""
    is_elsewhere = move.origin != move.hosted
    found = _OLD_ORIGIN.search(before) or (_ANY_ORIGIN.search(before) if is_elsewhere else None)
    if found is None:
        return []
    scheme, _, host = move.origin.partition("://")
    region = found.groupdict().get("region") or ""
    if region and not is_elsewhere:
        host = host.replace("streaming.", f"streaming{region}.")
    changes = [_Change(*found.span("host"), host)]
    if found["scheme"] and found["scheme"] != scheme:
        changes.append(_Change(*found.span("scheme"), scheme))
    if found["scheme"] and _holder(parts, found.start(), found.end()) is not None:
        return [_Change(found.start(), found.end(), f"{scheme}://{host}")]
    return changes


def _path(parts: list[Piece], at: int, move: Move) -> list[_Change]:
    """The path as a whole where it stands in one piece; else its parts."""
    end = at + len(move.old_path)
    if _holder(parts, at, end) is not None:
        return [_Change(at, end, move.new_path)]
    return [_Change(at + 1, at + 3, "v3"), _Change(at + 3, at + 3 + len("/realtime"), "")]


def _holder(parts: list[Piece], start: int, end: int) -> tuple[Piece, int] | None:
    """The piece in which these characters stand, all of them, and where it begins."""
    position = 0
    for piece in parts:
        length = len(UNKNOWN if piece.text is None else piece.text)
        if position <= start and end <= position + length:
            return piece, position
        position += length
    return None


def _placed(code: PythonDocument, parts: list[Piece], change: _Change, move: Move) -> list[Edit] | None:
    """A change, made where its characters are written."""
    held = _holder(parts, change.start, change.end)
    if held is None:
        return None
    piece, position = held
    start, end = change.start - position, change.end - position
    if piece.span is not None:
        return [Edit(Span(piece.span.start + start, piece.span.start + end), change.text)]
    if piece.value is None or piece.text is None:
        return None
    written = value_of(code, piece.value)
    if written is not None and move.old_path in piece.text:
        return []  # an address by itself, and moved as such
    if written is not None and _only_in_addresses(code, written):
        return _placed(code, pieces(code, written), _Change(start, end, change.text), move)
    return [_inlined(code, piece.value, piece.text[:start] + change.text + piece.text[end:])]


def _inlined(code: PythonDocument, node: cst.BaseExpression, text: str) -> Edit:
    parent = code.parent(node)
    if isinstance(parent, cst.FormattedStringExpression):
        return code.replace(parent, text)
    return code.replace(node, literal(text), with_parentheses=True)


def _only_in_addresses(code: PythonDocument, written: cst.BaseExpression) -> bool:
    """Whether the constant that has this value is used only in addresses of the old streaming service."""
    parent = code.parent(written)
    match parent:
        case cst.Assign(targets=[cst.AssignTarget(target=target)]) | cst.AnnAssign(target=target):
            pass
        case _:
            return False
    roots = [(code.span(root), flat(pieces(code, root))) for root in address_roots(code)]
    constants = [span for span, text in roots if "/v2/realtime/" in text]
    for use in uses(code, target):
        span = code.span(use)
        if not any(outer.start <= span.start and span.end <= outer.end for outer in constants):
            return False
    return True
