"""Texts, however they are built: literals, f-strings, `+`, `.format`, `%`, `str(…)`, constants of the file. PURE.

An expression is a row of pieces. A literal piece knows where its characters stand, so that a part of it can be
edited; a value piece is an expression in the text, with its text if the file tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter

import libcst as cst

from tympan.migrate.document import Span
from tympan.migrate.matching.names import argument, value_of
from tympan.migrate.matching.numbers import number_of
from tympan.migrate.matching.source import PythonDocument

_DEEPEST = 12
"""Constants that are made of constants; more is a circle."""

UNKNOWN = "\0"
"""What stands in `flat` for a value that the file doesn't tell."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text. `text`: its characters, None if unknown.

    `span`: where exactly these characters stand in the document; None for values and for literals with escapes.
    `value`: the expression whose text this is; None for literals. `owner`: the literal that it is a part of.
    """

    text: str | None
    span: Span | None = None
    value: cst.BaseExpression | None = None
    owner: cst.SimpleString | cst.FormattedString | None = None


def pieces(code: PythonDocument, node: cst.BaseExpression, depth: int = 0) -> list[Piece]:
    """What the text of an expression is made of; one unknown piece where it is no text, or none that we follow."""
    match node:
        case cst.SimpleString():
            return [_literal(code, node)]
        case cst.FormattedString(parts=parts):
            return [_part(code, part, node, depth) for part in parts]
        case (
            cst.ConcatenatedString(left=left, right=right)
            | cst.BinaryOperation(left=left, operator=cst.Add(), right=right)
        ):
            return [*pieces(code, left, depth), *pieces(code, right, depth)]
        case cst.BinaryOperation(left=cst.SimpleString() as template, operator=cst.Modulo(), right=right):
            return _interpolated(code, template, right, depth)
        case cst.Call(func=cst.Attribute(value=template, attr=cst.Name("format"))):
            return _formatted(code, template, node, depth)
        case cst.Call(func=cst.Name("str"), args=[cst.Arg(value=inner, keyword=None)]):
            return [_value(code, inner, depth)]
        case _:
            return [_value(code, node, depth)]


def flat(parts: list[Piece]) -> str:
    """The text, with UNKNOWN in the places of unknown values."""
    return "".join(UNKNOWN if piece.text is None else piece.text for piece in parts)


def text_of(code: PythonDocument, node: cst.BaseExpression, depth: int = 0) -> str | None:
    """The text of an expression; None: it is no text, or one that the file doesn't tell."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, cst.Name | cst.Attribute):
        value = value_of(code, _enum_member(node))
        return None if value is None else text_of(code, value, depth + 1)
    if not is_textual(node):
        return None
    text = flat(pieces(code, node, depth))
    return None if UNKNOWN in text else text


def is_textual(node: cst.CSTNode) -> bool:
    """Whether it is an expression that makes a text, by its form."""
    match node:
        case cst.SimpleString() | cst.FormattedString() | cst.ConcatenatedString():
            return True
        case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
            return is_textual(left) or is_textual(right)
        case cst.BinaryOperation(left=cst.SimpleString(), operator=cst.Modulo()):
            return True
        case cst.Call(func=cst.Attribute(value=template, attr=cst.Name("format"))):
            return is_textual(template)
    return False


def text_roots(code: PythonDocument) -> Iterator[cst.BaseExpression]:
    """Every text of the file, whole: not the parts that another text is made of. Not docstrings."""
    kinds = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.BinaryOperation, cst.Call)
    for node in code.nodes(*kinds):
        if is_textual(node) and not _is_part(code, node) and not isinstance(code.parent(node), cst.Expr):
            yield node


def address_roots(code: PythonDocument) -> Iterator[cst.BaseExpression]:
    """As `text_roots`, and sums of nothing but constants (`BASE + PATH`)."""
    yield from text_roots(code)
    for node in code.nodes(cst.BinaryOperation):
        is_sum = isinstance(node.operator, cst.Add) and not is_textual(node)
        is_whole = is_sum and not isinstance(code.parent(node), cst.BinaryOperation)
        if is_whole and any(text_of(code, side) is not None for side in (node.left, node.right)):
            yield node


def quote_of(node: cst.SimpleString | cst.FormattedString) -> str:
    """The quote that a literal ends with."""
    return node.quote if isinstance(node, cst.SimpleString) else node.end


def quote_at(code: PythonDocument, node: cst.CSTNode, preferred: str) -> str:
    """A quote that may stand at a place: inside an f-string another one than that of the f-string."""
    around = {text.end[0] for text in code.ancestors(node) if isinstance(text, cst.FormattedString)}
    return next((quote for quote in (preferred, "'", '"') if quote not in around), preferred)


def literal(text: str, like: str = '"') -> str:
    """Python source of a text, in quotes like these."""
    quote = like[-1] if like[-1:] in "'\"" and like else '"'
    if quote in text:
        quote = "'" if quote == '"' and "'" not in text else '"' if '"' not in text else quote
    body = text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n").replace("\r", "\\r")
    return f"{quote}{body}{quote}"


def _enum_member(node: cst.BaseExpression) -> cst.BaseExpression:
    """`Kind.FINAL.value` is as good as `Kind.FINAL`."""
    if isinstance(node, cst.Attribute) and node.attr.value == "value" and isinstance(node.value, cst.Attribute):
        return node.value
    return node


def _is_part(code: PythonDocument, node: cst.CSTNode) -> bool:
    parent = code.parent(node)
    if isinstance(parent, cst.Attribute) and parent.attr.value == "format":
        return True
    return isinstance(parent, cst.ConcatenatedString | cst.BinaryOperation) and is_textual(parent)


def _literal(code: PythonDocument, node: cst.SimpleString) -> Piece:
    value = node.evaluated_value
    if isinstance(value, bytes):
        return Piece(None, value=node)
    outer = code.span(node)
    inner = Span(outer.start + len(node.prefix) + len(node.quote), outer.end - len(node.quote))
    return Piece(value, inner if code.text[inner.start : inner.end] == value else None, owner=node)


def _part(code: PythonDocument, part: cst.BaseFormattedStringContent, owner: cst.FormattedString, depth: int) -> Piece:
    if isinstance(part, cst.FormattedStringText):
        span = code.span(part)
        if "\\" in part.value or "{{" in part.value or "}}" in part.value:
            text = part.value.replace("{{", "{").replace("}}", "}")
            return Piece(None if "\\" in text else text, owner=owner)
        return Piece(part.value, span, owner=owner)
    if not isinstance(part, cst.FormattedStringExpression):
        return Piece(None)
    if part.conversion is not None or part.format_spec is not None or part.equal is not None:
        return Piece(None, value=part.expression)
    return _value(code, part.expression, depth)


def _value(code: PythonDocument, node: cst.BaseExpression, depth: int) -> Piece:
    if depth > _DEEPEST:
        return Piece(None, value=node)
    text = text_of(code, node, depth + 1)
    if text is None:
        number = number_of(code, node)
        text = None if number is None else str(number)
    return Piece(text, value=node)


def _formatted(code: PythonDocument, template: cst.BaseExpression, call: cst.Call, depth: int) -> list[Piece]:
    """`"…{}…{name}…".format(a, name=b)`."""
    parts = pieces(code, template, depth)
    if len(parts) != 1 or parts[0].text is None:
        return [Piece(None, value=call)]
    [whole] = parts
    found: list[Piece] = []
    offset, index = (whole.span.start if whole.span else None), 0
    try:
        fields = list(Formatter().parse(parts[0].text))
    except ValueError:
        return [Piece(None, value=call)]
    for text, field, spec, conversion in fields:
        if text:
            found.append(
                Piece(text, Span(offset, offset + len(text)) if offset is not None else None, owner=whole.owner)
            )
        if field is None:
            continue
        name, index = (str(index), index + 1) if field == "" else (field, index)
        value = argument(call, name, int(name) if name.isdigit() else None)
        found.append(Piece(None) if value is None or spec or conversion else _value(code, value, depth))
        if offset is not None:
            offset += len(text) + 2 + len(field) + (1 + len(spec) if spec else 0) + (2 if conversion else 0)
    is_simple = "{{" not in parts[0].text and "}}" not in parts[0].text
    return found if is_simple else [Piece(p.text, None, p.value) for p in found]


def _interpolated(
    code: PythonDocument, template: cst.SimpleString, values: cst.BaseExpression, depth: int
) -> list[Piece]:
    """`"…%s…" % x`, `"…%d…%s" % (x, y)`."""
    [whole] = pieces(code, template, depth)
    given = [e.value for e in values.elements] if isinstance(values, cst.Tuple) else [values]
    if whole.text is None or isinstance(values, cst.Dict):
        return [Piece(None)]
    parts = re.split(r"(%[sd])", whole.text)
    if len(parts) // 2 != len(given) or any("%" in text for text in parts[::2]):
        return [Piece(None)]
    found: list[Piece] = []
    offset = whole.span.start if whole.span else None
    for index, text in enumerate(parts):
        if index % 2:
            found.append(_value(code, given[index // 2], depth))
        elif text:
            found.append(
                Piece(text, Span(offset, offset + len(text)) if offset is not None else None, owner=whole.owner)
            )
        if offset is not None:
            offset += len(text)
    return found
