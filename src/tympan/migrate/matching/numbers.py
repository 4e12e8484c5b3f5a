"""Numbers, however they are computed: literals, arithmetic, `int(…)`, constants of the file. PURE."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping

import libcst as cst

from tympan.migrate.matching.names import argument, qualified, value_of
from tympan.migrate.matching.source import PythonDocument

Number = int | float
Leaf = cst.Integer | cst.Float | cst.SimpleString

_DEEPEST = 12
_LARGEST = 1e12
"""No buffer, rate or time of a program about audio is larger; keeps `9**9**9` from being computed."""

_OPERATORS: dict[type[cst.BaseBinaryOp], Callable[[Number, Number], Number]] = {
    cst.Add: operator.add,
    cst.Subtract: operator.sub,
    cst.Multiply: operator.mul,
    cst.Divide: operator.truediv,
    cst.FloorDivide: operator.floordiv,
}

_DIGITS = re.compile("[0-9]{1,18}")

_CONVERSIONS: dict[str, Callable[[Number], Number]] = {"int": int, "round": round, "float": float}


def number_of(
    code: PythonDocument, node: cst.BaseExpression, given: Mapping[cst.CSTNode, Number] | None = None, depth: int = 0
) -> Number | None:
    """The value of an expression; None: it is no number, or one that the file doesn't tell.

    `given`: values that some literals shall have instead of their own.
    """
    if given and node in given:
        return given[node]
    if depth > _DEEPEST:
        return None
    match node:
        case cst.Integer() | cst.Float():
            return _literal(node.value)
        case cst.BinaryOperation():
            return _computed(code, node, given, depth)
        case cst.Call(func=cst.Name("int" | "round" | "float" as name), args=[cst.Arg(value=inner)]):
            value = number_of(code, inner, given, depth + 1)
            return None if value is None else _CONVERSIONS[name](value)
        case cst.SimpleString() if depth and _DIGITS.fullmatch(str(node.evaluated_value)):
            return int(str(node.evaluated_value))
        case cst.Call() if (default := _default(code, node)) is not None:
            return number_of(code, default, given, depth + 1)
        case cst.Name() | cst.Attribute():
            value_node = value_of(code, node)
            return None if value_node is None else number_of(code, value_node, given, depth + 1)
        case cst.Subscript():
            found = _entry(code, node)
            return None if found is None else number_of(code, found, given, depth + 1)
    return None


def number_leaves(code: PythonDocument, node: cst.BaseExpression, depth: int = 0) -> Iterator[Leaf]:
    """The literals that an expression is computed from, constants followed."""
    if depth > _DEEPEST:
        return
    match node:
        case cst.Integer() | cst.Float() | cst.SimpleString():
            yield node
        case cst.Call() if (default := _default(code, node)) is not None:
            yield from number_leaves(code, default, depth + 1)
        case cst.BinaryOperation(left=left, right=right):
            yield from number_leaves(code, left, depth + 1)
            yield from number_leaves(code, right, depth + 1)
        case cst.Call():
            for arg in node.args:
                yield from number_leaves(code, arg.value, depth + 1)
        case cst.Name() | cst.Attribute():
            value = value_of(code, node)
            if value is not None:
                yield from number_leaves(code, value, depth + 1)
        case cst.Subscript():
            found = _entry(code, node)
            if found is not None:
                yield from number_leaves(code, found, depth + 1)


def _default(code: PythonDocument, call: cst.Call) -> cst.BaseExpression | None:
    """The default of `os.getenv("NAME", default)`: what the program works with unless it is told otherwise."""
    is_read = qualified(code, call.func) in ("os.getenv", "os.environ.get") and len(call.args) == 2
    return call.args[1].value if is_read else None


def _literal(text: str) -> Number | None:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, int | float) and abs(value) < _LARGEST else None


def _computed(
    code: PythonDocument, node: cst.BinaryOperation, given: Mapping[cst.CSTNode, Number] | None, depth: int
) -> Number | None:
    compute = _OPERATORS.get(type(node.operator))
    left = number_of(code, node.left, given, depth + 1)
    right = number_of(code, node.right, given, depth + 1)
    if compute is None or left is None or right is None:
        return None
    try:
        value = compute(left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return value if abs(value) < _LARGEST else None


def _entry(code: PythonDocument, node: cst.Subscript) -> cst.BaseExpression | None:
    """`PARAMETERS["sample_rate"]` of a dict that is written in the file."""
    key = subscript_key(node)
    held = value_of(code, node.value) if isinstance(node.value, cst.Name | cst.Attribute) else None
    return dict_entry(held, key) if isinstance(held, cst.Dict | cst.Call) and key is not None else None


def subscript_key(node: cst.Subscript) -> str | None:
    """The key of `x["key"]`, written as a literal."""
    match node.slice:
        case [cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as key))]:
            value = key.evaluated_value
            return value if isinstance(value, str) else None
    return None


def dict_entry(node: cst.BaseExpression, key: str) -> cst.BaseExpression | None:
    """The value under a key of `{…}` or `dict(…)`."""
    if isinstance(node, cst.Call):
        return argument(node, key) if isinstance(node.func, cst.Name) and node.func.value == "dict" else None
    if isinstance(node, cst.Dict):
        for element in node.elements:
            name = element.key if isinstance(element, cst.DictElement) else None
            if isinstance(name, cst.SimpleString) and name.evaluated_value == key:
                return element.value
    return None
