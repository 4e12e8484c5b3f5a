"""What keeps a transcriber of the old SDK from being rewritten by what stands in the file. PURE."""

from __future__ import annotations

import libcst as cst

from tympan.migrate.matching.names import functions_named, variable_key
from tympan.migrate.matching.sdk import CALLBACKS, PARAMETERS, Transcriber, method_calls
from tympan.migrate.matching.source import PythonDocument

_KNOWN = frozenset({*PARAMETERS, *CALLBACKS, "token"})
_READERS = frozenset({"on_data", "on_open"})
"""Callbacks that read fields whose names have changed."""


def obstacle(code: PythonDocument, transcriber: Transcriber) -> str | None:
    """Why a person has to rewrite it; None: none has to."""
    call, variable = transcriber.call, transcriber.target
    if variable is None or not code.is_on_own_lines(code.statement(call)):
        return "it isn't assigned to a variable where it is made"
    if any(arg.star or arg.keyword is None or arg.keyword.value not in _KNOWN for arg in call.args):
        return "it gets arguments that have no counterpart, or that this file doesn't name"
    connects = method_calls(code, variable, "connect")
    if not connects:
        return "it is connected in another file"
    for connect in connects:
        receiver = connect.func.value if isinstance(connect.func, cst.Attribute) else variable
        if isinstance(receiver, cst.Name) and variable_key(code, receiver) != variable_key(code, variable):
            return "it is connected in a function that gets it as an argument"
    return None


def foreign_callbacks(code: PythonDocument, transcriber: Transcriber) -> list[str]:
    """Callbacks that other files define: what they read of an event isn't seen here."""
    return [
        code.source(arg.value)
        for arg in transcriber.call.args
        if arg.keyword is not None
        and arg.keyword.value in _READERS
        and not isinstance(arg.value, cst.Lambda)
        and not functions_named(code, arg.value)
        and code.source(arg.value) not in ("None", "print")
    ]
