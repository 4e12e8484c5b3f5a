"""The old transcriber's callbacks as the new client calls them: with the client, then the event. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.names import functions_named, uses
from tympan.migrate.matching.sdk import CALLBACKS, CLIENT
from tympan.migrate.matching.sdk_events import positional
from tympan.migrate.matching.sdk_imports import local
from tympan.migrate.matching.sdk_parameters import comment_behind, moved_text
from tympan.migrate.matching.source import Function, PythonDocument


@dataclass(frozen=True, slots=True)
class Registration:
    """A callback as it is registered, and the edits that its function needs."""

    event: str
    callback: str
    comment: str
    edits: tuple[Edit, ...] = ()


def is_none(node: cst.BaseExpression) -> bool:
    """Whether it is `None`: no callback."""
    return isinstance(node, cst.Name) and node.value == "None"


def registrations(code: PythonDocument, call: cst.Call) -> list[Registration]:
    """The callbacks in their order; that of the session's information before that of its end, as they came."""
    args = [arg for arg in call.args if _name(arg) in CALLBACKS and not is_none(arg.value)]
    return [_registration(code, call, arg) for arg in sorted(args, key=lambda arg: _name(arg) == "on_close")]


def _name(arg: cst.Arg) -> str:
    return arg.keyword.value if arg.keyword is not None else ""


def _registration(code: PythonDocument, call: cst.Call, arg: cst.Arg) -> Registration:
    event, comment = CALLBACKS[_name(arg)], comment_behind(code, arg)
    has_event = _name(arg) != "on_close"
    text = moved_text(code, arg.value)
    if isinstance(arg.value, cst.Lambda):
        changes = _signature(code, arg.value, has_event)
        if changes is not None:
            return Registration(event, _moved(code, arg.value, changes), comment)
        text = f"({code.source(arg.value)})"
    functions = functions_named(code, arg.value)
    if len(functions) == 1 and _is_only_called_back(code, call, arg.value):
        changes = _signature(code, functions[0], has_event)
        if changes is not None:
            return Registration(event, text, comment, tuple(changes))
    return Registration(event, f"lambda client, event: {text}({'event' if has_event else ''})", comment)


def _moved(code: PythonDocument, node: cst.Lambda, edits: Sequence[Edit]) -> str:
    """The text of a lambda after edits."""
    text, start = code.source(node), code.span(node).start
    for edit in sorted(edits, reverse=True):
        text = text[: edit.span.start - start] + edit.replacement + text[edit.span.end - start :]
    return text


def _is_only_called_back(code: PythonDocument, call: cst.Call, value: cst.BaseExpression) -> bool:
    """Whether a function is used as an argument of this call and nowhere else."""
    return all(node is value or code.parent(code.parent(node)) is call for node in uses(code, value))


def _signature(code: PythonDocument, function: Function, has_event: bool) -> list[Edit] | None:
    """Edits that let a function take the client and the event; None: it takes something else than expected."""
    params = positional(function)
    if isinstance(function.params.star_arg, cst.Param) and not params:
        return []
    if len(params) != has_event or function.params.kwonly_params:
        return None
    client = _free_name(code, function, "client", "streaming_client")
    if not params:
        return [_with_parameters(code, function, f"{client}, {_free_name(code, function, 'event', 'termination')}")]
    annotation = f": {local(code, CLIENT)}" if params[0].annotation is not None else ""
    start = code.span(params[0]).start
    return [Edit(Span(start, start), f"{client}{annotation}, ")]


def _with_parameters(code: PythonDocument, function: Function, names: str) -> Edit:
    """Parameters for a function that has none but `self`."""
    if isinstance(function, cst.Lambda):
        start = code.span(function).start + len("lambda")
        return Edit(Span(start, start), f" {names}")
    if function.params.params:
        end = code.span(function.params.params[0].name).end
        return Edit(Span(end, end), f", {names}")
    start = code.text.index("(", code.span(function.name).end) + 1
    return Edit(Span(start, start), names)


def _free_name(code: PythonDocument, function: Function, *names: str) -> str:
    """The first of these names that the function doesn't use."""
    used = {node.value for node in code.nodes(cst.Name) if function in code.ancestors(node)}
    return next((name for name in names if name not in used), f"_{names[0]}")
