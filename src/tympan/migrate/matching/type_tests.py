"""Where a program asks which message it has: comparisons, `in`, `match`, tables by type. PURE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import libcst as cst

from tympan.migrate.matching.messages import Access, alternatives, is_message, type_access
from tympan.migrate.matching.names import uses
from tympan.migrate.matching.source import PythonDocument


class Form(Enum):
    """How a name of a message type is used."""

    EQUAL = auto()
    NOT_EQUAL = auto()
    IN = auto()
    """In a tuple, list or set, right of `in`."""
    NOT_IN = auto()
    CASE = auto()
    """A value, or one of several, in a `case` of a `match` over the type."""
    FIELD = auto()
    """The value of a key in `case {…}`."""
    TABLE = auto()
    """The key of a dict."""
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class TypeTest:
    """One use of a name of a message type.

    `node`: the comparison, the case, the element of the pattern or of the dict. `access`: how the type was read
    that it is compared with; None where that isn't known or can't be seen from here.
    """

    form: Form
    node: cst.CSTNode
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class TypeName:
    """A literal with the name of a message type, and its uses: one, or those of the constant that it is."""

    literal: cst.SimpleString
    name: str
    tests: tuple[TypeTest, ...]


def type_names(code: PythonDocument, wanted: frozenset[str]) -> list[TypeName]:
    """Every literal that is exactly one of these names."""
    found = []
    for literal in code.nodes(cst.SimpleString):
        name = literal.evaluated_value
        if isinstance(name, str) and name in wanted:
            found.append(TypeName(literal, name, tuple(_tests(code, literal))))
    return found


def _tests(code: PythonDocument, node: cst.BaseExpression) -> Iterator[TypeTest]:
    parent = code.parent(node)
    target: cst.BaseExpression | None = None
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        target = parent.targets[0].target
    if isinstance(parent, cst.AnnAssign):
        target = parent.target
    if isinstance(parent, cst.Element):
        target = _unpacked(code, parent)
    if isinstance(target, cst.Name | cst.Attribute):
        for use in uses(code, target):
            above = code.parent(use)
            is_value = isinstance(above, cst.Attribute) and above.attr.value == "value"
            yield _test(code, above if is_value and isinstance(above, cst.Attribute) else use)
        return
    yield _test(code, node)


def _unpacked(code: PythonDocument, element: cst.Element) -> cst.BaseExpression | None:
    """The name that gets this element in `PARTIAL, FINAL = "…", "…"`."""
    values = code.parent(element)
    assign = code.parent(values)
    if isinstance(values, cst.Tuple) and isinstance(assign, cst.Assign) and len(assign.targets) == 1:
        names = assign.targets[0].target
        if isinstance(names, cst.Tuple) and len(names.elements) == len(values.elements):
            return names.elements[list(values.elements).index(element)].value
    return None


def _test(code: PythonDocument, node: cst.BaseExpression) -> TypeTest:
    parent = code.parent(node)
    match parent:
        case cst.Comparison() | cst.ComparisonTarget():
            comparison = parent if isinstance(parent, cst.Comparison) else code.parent(parent)
            return _compared(code, node, comparison)
        case cst.Element():
            return _contained(code, parent)
        case cst.MatchValue():
            return _cased(code, parent)
        case cst.DictElement(key=key) if key is node:
            return TypeTest(Form.TABLE, parent)
    return TypeTest(Form.OTHER, node)


def _compared(code: PythonDocument, node: cst.BaseExpression, comparison: cst.CSTNode) -> TypeTest:
    if not isinstance(comparison, cst.Comparison) or len(comparison.comparisons) != 1:
        return TypeTest(Form.OTHER, node)
    [target] = comparison.comparisons
    other = target.comparator if comparison.left is node else comparison.left
    form = {cst.Equal: Form.EQUAL, cst.NotEqual: Form.NOT_EQUAL}.get(type(target.operator), Form.OTHER)
    return TypeTest(form, comparison, _seen(code, comparison, type_access(code, other)))


def _contained(code: PythonDocument, element: cst.Element) -> TypeTest:
    container = code.parent(element)
    target = code.parent(container)
    comparison = code.parent(target)
    operator = target.operator if isinstance(target, cst.ComparisonTarget) else None
    form = Form.IN if isinstance(operator, cst.In) else Form.NOT_IN if isinstance(operator, cst.NotIn) else None
    if form is None or not isinstance(comparison, cst.Comparison) or len(comparison.comparisons) != 1:
        return TypeTest(Form.OTHER, element)
    return TypeTest(form, comparison, _seen(code, comparison, type_access(code, comparison.left)))


def _cased(code: PythonDocument, value: cst.MatchValue) -> TypeTest:
    parent = code.parent(value)
    if isinstance(parent, cst.MatchMappingElement):
        return TypeTest(Form.FIELD, parent)
    if isinstance(parent, cst.MatchOrElement):
        parent = code.parent(code.parent(parent))
    subject = code.enclosing(value, cst.Match)
    if not isinstance(parent, cst.MatchCase) or subject is None:
        return TypeTest(Form.OTHER, value)
    return TypeTest(Form.CASE, parent, _seen(code, parent, type_access(code, subject.subject)))


def _seen(code: PythonDocument, here: cst.CSTNode, access: Access | None) -> Access | None:
    """An access whose message can be named here too: in the same function, or one inside of it."""
    if access is None:
        return None
    function = code.function(access.node)
    around = [above for above in code.ancestors(here) if isinstance(above, cst.FunctionDef | cst.Lambda)]
    return access if function is None or function in around else None


def mapping_subject(code: PythonDocument, element: cst.CSTNode) -> cst.BaseExpression | None:
    """The message that `case {…}` looks at, of which this is an element."""
    match = code.enclosing(element, cst.Match)
    if match is not None and is_message(code, match.subject):
        return match.subject
    return None


__all__ = ["Form", "TypeName", "TypeTest", "alternatives", "mapping_subject", "type_names"]
