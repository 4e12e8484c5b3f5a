"""Which functions of the file a call may run: by name, out of a table, by `getattr`. PURE."""

from __future__ import annotations

import libcst as cst

from tympan.migrate.matching.names import bindings, functions_named, value_of
from tympan.migrate.matching.source import Function, PythonDocument
from tympan.migrate.matching.strings import UNKNOWN, flat, pieces


def called_functions(code: PythonDocument, call: cst.Call) -> list[Function]:
    """Functions of the file that a call may run: by name, or out of a table (`TABLE[kind](…)`)."""
    found = [*functions_named(code, call.func), *_table_functions(code, call.func)]
    if isinstance(call.func, cst.Name):
        values = [binding.value for binding in bindings(code, call.func) if binding.value is not None]
        found += [f for value in values for f in (*_table_functions(code, value), *_named_functions(code, value))]
    return found


def _named_functions(code: PythonDocument, looked_up: cst.BaseExpression) -> list[Function]:
    """The methods that `getattr(self, "on_" + kind)` may mean: all whose names begin like that."""
    match looked_up:
        case cst.Call(func=cst.Name("getattr"), args=[_, cst.Arg(value=name), *_]):
            start = flat(pieces(code, name)).partition(UNKNOWN)[0]
            return [f for f in code.nodes(cst.FunctionDef) if start and f.name.value.startswith(start)]
    return []


def _table_functions(code: PythonDocument, looked_up: cst.BaseExpression) -> list[Function]:
    """The functions in the table that `TABLE[kind]` or `TABLE.get(kind)` looks into."""
    match looked_up:
        case cst.Subscript(value=held) | cst.Call(func=cst.Attribute(value=held, attr=cst.Name("get"))):
            table = held if isinstance(held, cst.Dict) else value_of(code, held)
            if isinstance(table, cst.Dict):
                values = [e.value for e in table.elements if isinstance(e, cst.DictElement)]
                return [function for value in values for function in functions_named(code, value)]
    return []
