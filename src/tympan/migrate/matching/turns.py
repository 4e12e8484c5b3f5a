"""How a function goes on to the next message. PURE."""

from __future__ import annotations

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.source import Function, PythonDocument, Statement


def skip_unformatted_end(code: PythonDocument, statement: Statement, message: str, quote: str) -> Edit | None:
    """Above a statement: leave, or go on with the loop, at the unformatted end of a turn; None: no way is seen."""
    statement = head_of(code, statement)
    leave = way_out(code, statement)
    if leave is None or not code.is_on_own_lines(statement):
        return None
    condition = f"{message}.get({quote}end_of_turn{quote}) and not {message}.get({quote}turn_is_formatted{quote})"
    lines = (f"if {condition}:", f"{code.indent_unit}{leave}  # the same turn comes again, formatted")
    return code.insert_before(statement, *lines)


def head_of(code: PythonDocument, statement: Statement) -> Statement:
    """Of an `elif`, the `if`; of others, themselves."""
    while isinstance(statement, cst.If) and isinstance(parent := code.parent(statement), cst.If):
        if parent.orelse is not statement:
            break
        statement = parent
    return statement


def way_out(code: PythonDocument, statement: cst.CSTNode) -> str | None:
    """`continue` in a loop, `return` in a function, None elsewhere."""
    for above in code.ancestors(statement):
        if isinstance(above, cst.FunctionDef):
            return "return"
        if isinstance(above, cst.For | cst.While):
            return "continue"
        if isinstance(above, cst.Lambda | cst.ClassDef):
            return None
    return None


def returns_values(code: PythonDocument, function: Function | None) -> bool:
    """Whether its callers may expect something."""
    return any(node.value is not None and code.function(node) is function for node in code.nodes(cst.Return))
