"""The vendor's old SDK in a program: which of its names are used where, and the transcribers that are made. PURE.

The old names are those of `assemblyai` up to 0.64; the new ones are those of `assemblyai.streaming.v3`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import libcst as cst
from libcst.metadata import Assignment, QualifiedNameSource

from tympan.migrate.matching.names import bindings, qualified, variable_key
from tympan.migrate.matching.source import PythonDocument

PACKAGE = "assemblyai"
STREAMING = "assemblyai.streaming.v3"

TRANSCRIBER = "RealtimeTranscriber"
CLIENT = "StreamingClient"

RENAMED: Mapping[str, str] = MappingProxyType(
    {
        TRANSCRIBER: CLIENT,
        "RealtimeTranscript": "TurnEvent",
        "RealtimePartialTranscript": "TurnEvent",
        "RealtimeFinalTranscript": "TurnEvent",
        "RealtimeSessionOpened": "BeginEvent",
        "RealtimeSessionInformation": "TerminationEvent",
        "RealtimeError": "StreamingError",
        "RealtimeWord": "Word",
        "AudioEncoding": "Encoding",
    }
)
"""Old name → new name."""

CALLBACKS: Mapping[str, str] = MappingProxyType(
    {
        "on_open": "Begin",
        "on_data": "Turn",
        "on_error": "Error",
        "on_extra_session_information": "Termination",
        "on_close": "Termination",
    }
)
"""Argument of the old constructor → event of the new client."""

PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "sample_rate": "sample_rate",
        "encoding": "encoding",
        "word_boost": "keyterms_prompt",
        "end_utterance_silence_threshold": "max_turn_silence",
        "disable_partial_transcripts": "include_partial_turns",
    }
)
"""Argument of the old constructor → field of the new parameters."""

HOMES = (PACKAGE, f"{PACKAGE}.types", f"{PACKAGE}.transcriber")
"""Modules that had the old names."""


def old_name(code: PythonDocument, node: cst.CSTNode) -> str | None:
    """The SDK's old name that a name or an attribute means; None: it means none."""
    home, _, name = qualified(code, node).rpartition(".")
    return name if home in HOMES and name in RENAMED else None


def references(code: PythonDocument) -> list[tuple[cst.Name | cst.Attribute, str]]:
    """Where old names are used, with the name; not where they are imported."""
    if "sdk references" not in code.memo:
        code.memo["sdk references"] = [
            (node, name)
            for node in (code.nodes(cst.Name, cst.Attribute) if is_used(code) else ())
            if (name := old_name(code, node)) is not None and _is_reference(code, node)
        ]
    found: list[tuple[cst.Name | cst.Attribute, str]] = code.memo["sdk references"]
    return found


def _is_reference(code: PythonDocument, node: cst.CSTNode) -> bool:
    """Whether a name stands for itself: not after a dot, no keyword, no parameter, not in an import."""
    match code.parent(node):
        case cst.Attribute(attr=attr) if attr is node:
            return False
        case cst.Arg(keyword=keyword) if keyword is node:
            return False
        case cst.Param(name=name) if name is node:
            return False
    return code.enclosing(node, cst.Import, cst.ImportFrom) is None


def is_used(code: PythonDocument) -> bool:
    """Whether the program uses the old SDK, or the new one."""
    if PACKAGE not in code.text:
        return False
    modules = (alias.evaluated_name for node in code.nodes(cst.Import) for alias in node.names)
    homes = (_module_of(node) for node in code.nodes(cst.ImportFrom))
    return any(name.split(".")[0] == PACKAGE for name in (*modules, *homes))


def _module_of(node: cst.ImportFrom) -> str:
    """The module that an import takes names from; relative ones are nobody's."""
    if node.module is None or node.relative:
        return ""
    parts: list[str] = []
    part: cst.BaseExpression = node.module
    while isinstance(part, cst.Attribute):
        parts.append(part.attr.value)
        part = part.value
    return ".".join([part.value, *reversed(parts)]) if isinstance(part, cst.Name) else ""


def imports_from(code: PythonDocument, *modules: str) -> Iterator[tuple[cst.ImportFrom, list[cst.ImportAlias]]]:
    """`from MODULE import …` and what it names; `*` names nothing that we follow."""
    for node in code.nodes(cst.ImportFrom):
        if _module_of(node) in modules and not isinstance(node.names, cst.ImportStar):
            yield node, list(node.names)


def package_alias(code: PythonDocument) -> str | None:
    """The name of the module `assemblyai` in this file; None: it isn't imported as such."""
    for node in code.nodes(cst.Import):
        for alias in node.names:
            if alias.evaluated_name == PACKAGE:
                return alias.evaluated_alias or PACKAGE
    return None


def is_bound(code: PythonDocument, name: str, besides: str = "") -> bool:
    """Whether the module has something of this name, other than what is imported under the full name `besides`."""
    scope = code.scope(code.module)
    for assignment in scope[name] if scope is not None else ():
        if isinstance(assignment, Assignment):
            names = {q.name for q in assignment.get_qualified_names_for(name) if q.source is QualifiedNameSource.IMPORT}
            if names != {besides}:
                return True
    return False


@dataclass(frozen=True, slots=True)
class Transcriber:
    """A place where a transcriber is made. `target`: the variable that gets it, None if none does directly."""

    call: cst.Call
    target: cst.BaseExpression | None


def derived(code: PythonDocument) -> list[cst.BaseExpression]:
    """`RealtimeTranscriber` as the base of a class."""
    return [
        base.value
        for definition in (code.nodes(cst.ClassDef) if is_used(code) else ())
        for base in definition.bases
        if old_name(code, base.value) == TRANSCRIBER
    ]


def transcribers(code: PythonDocument) -> list[Transcriber]:
    """Every `RealtimeTranscriber(…)`; looked for once."""
    if "transcribers" not in code.memo:
        code.memo["transcribers"] = [
            Transcriber(call, _target(code, call))
            for call in (code.nodes(cst.Call) if is_used(code) else ())
            if old_name(code, call.func) == TRANSCRIBER
        ]
    known: list[Transcriber] = code.memo["transcribers"]
    return known


def _target(code: PythonDocument, call: cst.Call) -> cst.BaseExpression | None:
    match code.parent(call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() | cst.Attribute() as target)]):
            return target
        case cst.AnnAssign(target=cst.Name() | cst.Attribute() as target):
            return target
    return None


def method_calls(code: PythonDocument, target: cst.BaseExpression, method: str) -> list[cst.Call]:
    """Calls of a method on the transcriber in a variable, wherever in the file it is reached."""
    return [
        call
        for call in code.nodes(cst.Call)
        if isinstance(call.func, cst.Attribute)
        and call.func.attr.value == method
        and _is_same(code, target, call.func.value)
    ]


def _is_same(code: PythonDocument, target: cst.BaseExpression, node: cst.BaseExpression) -> bool:
    """Whether an expression is that variable: `assistant.transcriber` may be what `self.transcriber` was set to."""
    if isinstance(target, cst.Attribute) and isinstance(node, cst.Attribute):
        return target.attr.value == node.attr.value
    if isinstance(node, cst.Name) and _is_annotated(code, node):
        return True
    return type(target) is type(node) and variable_key(code, target) == variable_key(code, node)


def _is_annotated(code: PythonDocument, node: cst.Name) -> bool:
    """Whether it is a parameter that is declared to be a transcriber; found out once for each variable."""
    known: dict[tuple[int, str], bool] = code.memo.setdefault("declared transcribers", {})
    variable = id(code.scope(node)), node.value  # the document keeps its scopes, so an id stays theirs
    if variable not in known:
        known[variable] = _is_declared(code, node)
    return known[variable]


def _is_declared(code: PythonDocument, node: cst.Name) -> bool:
    for binding in bindings(code, node):
        parameter = code.parent(binding.target)
        if isinstance(parameter, cst.Param) and parameter.annotation is not None:
            return old_name(code, parameter.annotation.annotation) == TRANSCRIBER
    return False
