"""Addresses of the old service, and the edits that make them those of the new one. PURE."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.names import uses, value_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import Piece, flat, literal, pieces, text_roots

_ORIGIN = re.compile(r"(?P<scheme>\w+://)?api(?P<region>\.eu|\.us)?\.assemblyai\.com(?::\d+)?")
_ANY_ORIGIN = re.compile(r"(?P<scheme>\w+://)(?P<host>[^/?\0]+)")


@dataclass(frozen=True, slots=True)
class Move:
    """From a path to another one, at `origin` (scheme and host); `hosted`: that of the vendor."""

    old_path: str
    new_path: str
    origin: str
    hosted: str


def moved(code: PythonDocument, parts: list[Piece], move: Move) -> list[Edit] | None:
    """The edits that move an address, made of these pieces; None: it is written with escapes."""
    edits: list[Edit] = []
    for index, piece in enumerate(parts):
        if piece.value is not None:
            if _ORIGIN.search(piece.text or "") and move.old_path not in flat(parts[:index]):
                edits += _in_value(code, piece, move)
            continue
        if piece.span is None:
            return None
        edits += _in_literal(piece.text or "", piece.span.start, move)
        if index + 1 < len(parts) and piece.text and _ORIGIN.fullmatch(parts[index + 1].text or ""):
            edits += _scheme(piece.text, piece.span.start, move)
    return edits


def moved_origin(code: PythonDocument, node: cst.SimpleString, move: Move) -> list[Edit]:
    """The same for a literal that is nothing but the host, or the scheme and the host."""
    [piece] = pieces(code, node)
    if piece.span is None or not _ORIGIN.fullmatch(piece.text or ""):
        return []
    return _in_literal(piece.text or "", piece.span.start, move)


def _in_literal(text: str, offset: int, move: Move) -> list[Edit]:
    """The host and the path, where they stand in a text that begins at `offset`."""
    edits = []
    path = text.find(move.old_path)
    if path >= 0:
        edits.append(Edit(Span(offset + path, offset + path + len(move.old_path)), move.new_path))
    is_elsewhere = move.origin != move.hosted
    origin = _ORIGIN.search(text) or (_ANY_ORIGIN.search(text) if is_elsewhere and path >= 0 else None)
    if origin is not None:
        edits.append(Edit(Span(offset + origin.start(), offset + origin.end()), _origin(origin, move)))
    return edits


def _scheme(text: str, offset: int, move: Move) -> list[Edit]:
    """`wss://` in front of a host that stands elsewhere."""
    found = re.search(r"\w+://$", text)
    scheme = move.origin.partition("://")[0] + "://"
    if found is None or found.group() == scheme:
        return []
    return [Edit(Span(offset + found.start(), offset + found.end()), scheme)]


def _origin(found: re.Match[str], move: Move) -> str:
    scheme, _, host = move.origin.partition("://")
    region = found.groupdict().get("region") or ""
    if region and move.origin == move.hosted:
        host = host.replace("streaming.", f"streaming{region}.")
    return f"{scheme}://{host}" if found["scheme"] else host


def _in_value(code: PythonDocument, piece: Piece, move: Move) -> list[Edit]:
    """The host in a constant: where it is written if only such addresses use it, else in its place here."""
    node = piece.value
    assert node is not None
    held = value_of(code, node)
    if not isinstance(held, cst.SimpleString):
        return []
    if _only_in_addresses(code, held):
        return moved_origin(code, held, move)
    text = _ORIGIN.sub(lambda found: _origin(found, move), piece.text or "")
    parent = code.parent(node)
    if isinstance(parent, cst.FormattedStringExpression):
        return [code.replace(parent, text)]
    return [code.replace(node, literal(text), with_parentheses=True)]


def _only_in_addresses(code: PythonDocument, held: cst.SimpleString) -> bool:
    """Whether a constant is used only in addresses of the old streaming service."""
    parent = code.parent(held)
    if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
        return False
    roots = [(code.span(root), flat(pieces(code, root))) for root in text_roots(code)]
    for use in uses(code, parent.targets[0].target):
        span = code.span(use)
        around = [text for outer, text in roots if outer.start <= span.start and span.end <= outer.end]
        if not any("/v2/realtime/" in text for text in around):
            return False
    return True
