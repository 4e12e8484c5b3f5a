"""The SDK's events in a program: which functions are called back, and which variables hold what. PURE.

A callback is known by the argument of the old constructor, by `client.on(StreamingEvents.…, callback)`, or by the
type that its parameter is declared with. An event stays one in the functions that it is handed on to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from tympan.migrate.matching.names import functions_named, qualified, uses
from tympan.migrate.matching.sdk import CALLBACKS, RENAMED, STREAMING, old_name, transcribers
from tympan.migrate.matching.source import Function, PythonDocument

_EVENT_OF_TYPE = {
    "TurnEvent": "Turn",
    "BeginEvent": "Begin",
    "TerminationEvent": "Termination",
    "StreamingError": "Error",
}
_ENUMS = (f"{STREAMING}.StreamingEvents", f"{STREAMING}.RealTimeEvents")


@dataclass(frozen=True, slots=True)
class EventVariable:
    """A parameter that holds an event of a kind: Begin, Turn, Error, Termination."""

    function: Function
    parameter: cst.Param
    kind: str


def positional(function: Function) -> list[cst.Param]:
    """The parameters that a caller fills by position; without the `self` of a method."""
    params = [*function.params.posonly_params, *function.params.params]
    return params[1:] if params and params[0].name.value in ("self", "cls") else params


def event_variables(code: PythonDocument) -> list[EventVariable]:
    """Every parameter that holds an event."""
    if "sdk events" not in code.memo:
        found: dict[int, EventVariable] = {}
        waiting = [*_called_back(code), *_declared(code)]
        while waiting:
            variable = waiting.pop(0)
            if id(variable.parameter) not in found:
                found[id(variable.parameter)] = variable
                waiting += _handed_on(code, variable)
        code.memo["sdk events"] = list(found.values())
    events: list[EventVariable] = code.memo["sdk events"]
    return events


def _called_back(code: PythonDocument) -> Iterator[EventVariable]:
    for transcriber in transcribers(code):
        for arg in transcriber.call.args:
            kind = CALLBACKS.get(arg.keyword.value) if arg.keyword is not None else None
            if kind is not None:
                yield from _event_parameters(code, arg.value, kind, 0)
    for call in code.nodes(cst.Call):
        match call:
            case cst.Call(
                func=cst.Attribute(attr=cst.Name("on")), args=[cst.Arg(value=event), cst.Arg(value=callback)]
            ):
                home, _, kind = qualified(code, event).rpartition(".")
                if home in _ENUMS:
                    yield from _event_parameters(code, callback, kind, 1)


def _event_parameters(
    code: PythonDocument, callback: cst.BaseExpression, kind: str, position: int
) -> Iterator[EventVariable]:
    for function in functions_named(code, callback):
        params = positional(function)
        if len(params) > position:
            yield EventVariable(function, params[position], kind)


def _declared(code: PythonDocument) -> Iterator[EventVariable]:
    for function in code.nodes(cst.FunctionDef):
        for param in positional(function):
            kind = _kind_of_type(code, param.annotation)
            if kind is not None:
                yield EventVariable(function, param, kind)


def _kind_of_type(code: PythonDocument, annotation: cst.Annotation | None) -> str | None:
    if annotation is None:
        return None
    old = old_name(code, annotation.annotation)
    home, _, name = qualified(code, annotation.annotation).rpartition(".")
    return _EVENT_OF_TYPE.get(RENAMED[old] if old else name if home == STREAMING else "")


def _handed_on(code: PythonDocument, variable: EventVariable) -> Iterator[EventVariable]:
    """The parameters of this file's functions that get the event as an argument."""
    for node in event_uses(code, variable):
        arg = code.parent(node)
        call = code.parent(arg)
        if not isinstance(arg, cst.Arg) or not isinstance(call, cst.Call) or arg.value is not node:
            continue
        for function in functions_named(code, call.func):
            params = positional(function)
            if arg.keyword is not None:
                params = [param for param in params if param.name.value == arg.keyword.value]
                position = 0
            else:
                position = list(call.args).index(arg)
            if position < len(params):
                yield EventVariable(function, params[position], variable.kind)


def event_uses(code: PythonDocument, variable: EventVariable) -> list[cst.BaseExpression]:
    """Where the event is read in its function."""
    return [node for node in uses(code, variable.parameter.name) if node is not variable.parameter.name]
