"""Imports of the SDK: the old names out, the new ones in, the user's own names respected. PURE.

Every fix of an SDK rule carries the same import edits, made for the whole file, so that it doesn't matter which
of the fixes are made.
"""

from __future__ import annotations

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.sdk import (
    CLIENT,
    PACKAGE,
    RENAMED,
    STREAMING,
    TRANSCRIBER,
    imports_from,
    is_bound,
    package_alias,
    references,
)
from tympan.migrate.matching.source import PythonDocument, Statement

_WIDEST = 88
"""A longer import is written one name a line."""

CLIENT_NAMES = (CLIENT, "StreamingClientOptions", "StreamingEvents", "StreamingParameters")
"""What a program needs to make a client, connect it and be called back."""


def local(code: PythonDocument, name: str) -> str:
    """What a name of the new SDK is called in this file: itself, unless the file has another thing of that name."""
    return f"AssemblyAI{name}" if is_bound(code, name, f"{STREAMING}.{name}") else name


def settings(code: PythonDocument) -> str:
    """How the SDK's settings are reached, once the import edits are made."""
    return f"{package_alias(code) or PACKAGE}.settings"


def import_edits(code: PythonDocument, *names: str) -> tuple[Edit, ...]:
    """Edits that import these names, and all that the file's uses of the old SDK become."""
    wanted = {*names, *_needed(code)}
    edits: list[Edit] = []
    anchor: Statement | None = None
    present: list[tuple[cst.ImportFrom, list[cst.ImportAlias]]] = list(imports_from(code, STREAMING))
    for node, aliases in imports_from(code, PACKAGE, f"{PACKAGE}.types", f"{PACKAGE}.transcriber"):
        anchor = code.statement(node)
        old = [alias for alias in aliases if alias.evaluated_name in RENAMED]
        if len(old) == len(aliases) and not present:
            # The statement becomes the new import.
            edits.append(code.replace(node, _joined(code, anchor, _import_lines(code, wanted))))
            wanted = set()
        elif len(old) == len(aliases):
            edits.append(code.delete(anchor))
        elif old:
            edits += _without(code, aliases, old)
    if wanted and present:
        edits += _added(code, *present[0], wanted)
    elif wanted:
        edits += _inserted(code, anchor, wanted)
    return tuple(edits)


def _needed(code: PythonDocument) -> set[str]:
    """What the references to the old SDK become."""
    names = {RENAMED[old] for node, old in references(code) if not is_type_test(code, node)}
    makes_client = any(old == TRANSCRIBER and isinstance(code.parent(node), cst.Call) for node, old in references(code))
    return {*names, *(CLIENT_NAMES if makes_client else ())}


def is_type_test(code: PythonDocument, node: cst.CSTNode) -> bool:
    """`isinstance(x, NAME)`: it will be no type any more."""
    arg = code.parent(node)
    call = code.parent(arg)
    return isinstance(arg, cst.Arg) and isinstance(call, cst.Call) and code.source(call.func) == "isinstance"


def _inserted(code: PythonDocument, anchor: Statement | None, wanted: set[str]) -> list[Edit]:
    """A new import below the one of the package."""
    for node in code.nodes(cst.Import):
        if any(alias.evaluated_name.split(".")[0] == PACKAGE for alias in node.names):
            anchor = code.statement(node)
    return [code.insert_after(anchor, *_import_lines(code, wanted))] if anchor is not None else []


def _added(code: PythonDocument, node: cst.ImportFrom, aliases: list[cst.ImportAlias], wanted: set[str]) -> list[Edit]:
    """More names for an import of the new SDK that is there."""
    present = {alias.evaluated_name for alias in aliases}
    missing = wanted - present
    if not missing:
        return []
    kept = {alias.evaluated_name: code.source(alias).rstrip(", \t\n") for alias in aliases}
    named = {name: _imported(code, name) for name in missing} | kept
    lines = _laid_out([named[name] for name in sorted(named)], code.indent_unit)
    return [code.replace(node, _joined(code, code.statement(node), lines))]


def _import_lines(code: PythonDocument, names: set[str]) -> list[str]:
    """The new import; a client also needs the settings that hold the key."""
    package = [f"import {PACKAGE}"] if CLIENT in names and package_alias(code) is None else []
    return [*package, *_laid_out([_imported(code, name) for name in sorted(names)], code.indent_unit)]


def _imported(code: PythonDocument, name: str) -> str:
    known = local(code, name)
    return name if known == name else f"{name} as {known}"


def _laid_out(names: list[str], indent: str) -> list[str]:
    line = f"from {STREAMING} import {', '.join(names)}"
    if len(line) <= _WIDEST:
        return [line]
    return [f"from {STREAMING} import (", *(f"{indent}{name}," for name in names), ")"]


def _joined(code: PythonDocument, statement: Statement, lines: list[str]) -> str:
    return (code.newline + code.indent(statement)).join(lines)


def _without(code: PythonDocument, aliases: list[cst.ImportAlias], removed: list[cst.ImportAlias]) -> list[Edit]:
    """Take names out of a list of imports; the others keep their lines and comments."""
    kept = [alias for alias in aliases if alias not in removed]
    last_kept = code.span(kept[-1].name if kept[-1].asname is None else kept[-1].asname)
    edits: list[Edit] = []
    for alias, following in zip(aliases, [*aliases[1:], None], strict=True):
        if alias not in removed:
            continue
        start = code.span(alias).start
        if start > last_kept.end:
            end = code.span(aliases[-1].name if aliases[-1].asname is None else aliases[-1].asname).end
            return [*edits, Edit(Span(last_kept.end, end), "")]
        assert following is not None
        edits.append(Edit(Span(start, code.span(following).start), ""))
    return edits
