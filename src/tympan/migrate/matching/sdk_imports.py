"""Imports of the SDK: the new names in, the old ones out once nothing uses them, the user's own respected. PURE.

Every fix of an SDK rule carries the same import edits, made for the whole file, so that it doesn't matter which of
the fixes are made.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.sdk import (
    CLIENT,
    HOMES,
    PACKAGE,
    RENAMED,
    STREAMING,
    TRANSCRIBER,
    imports_from,
    is_bound,
    package_alias,
    references,
    transcribers,
)
from tympan.migrate.matching.sdk_obstacles import foreign_callbacks, obstacle
from tympan.migrate.matching.source import PythonDocument

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
    present = next(imports_from(code, STREAMING), None)
    return tuple(_added(code, *present, wanted) if present is not None else _inserted(code, wanted))


def unused_imports(code: PythonDocument) -> Iterator[tuple[cst.ImportAlias, tuple[Edit, ...]]]:
    """Old names that are imported and not used any more, with the edits that take them out."""
    used = {old for _, old in references(code)}
    for node, aliases in imports_from(code, *HOMES):
        unused = [alias for alias in aliases if alias.evaluated_name in RENAMED and alias.evaluated_name not in used]
        if len(unused) == len(aliases):
            edits: tuple[Edit, ...] = (code.delete(code.statement(node)),)
        else:
            edits = tuple(_without(code, aliases, unused))
        for alias in unused:
            yield alias, edits


def _needed(code: PythonDocument) -> frozenset[str]:
    """What the references to the old SDK become; the same for each fix, so found out once."""
    if "needed imports" not in code.memo:
        code.memo["needed imports"] = _found_to_be_needed(code)
    known: frozenset[str] = code.memo["needed imports"]
    return known


def _found_to_be_needed(code: PythonDocument) -> frozenset[str]:
    names = {RENAMED[old] for node, old in references(code) if old != TRANSCRIBER and not is_type_test(code, node)}
    makes_client = any(
        obstacle(code, transcriber) is None and not foreign_callbacks(code, transcriber)
        for transcriber in transcribers(code)
    )
    is_named = any(old == TRANSCRIBER and not is_made(code, node) for node, old in references(code))
    return frozenset({*names, *(CLIENT_NAMES if makes_client else ()), *((CLIENT,) if is_named else ())})


def is_made(code: PythonDocument, node: cst.CSTNode) -> bool:
    """Whether the class is called or derived from, or one of its methods called: other rules see to that."""
    parent = code.parent(node)
    is_base = isinstance(parent, cst.Arg) and isinstance(code.parent(parent), cst.ClassDef)
    return is_base or isinstance(parent, cst.Call | cst.Attribute)


def is_type_test(code: PythonDocument, node: cst.CSTNode) -> bool:
    """`isinstance(x, NAME)`, `type(x) is NAME`: it will be no type any more."""
    above = code.parent(node)
    if isinstance(above, cst.Element):
        above = code.parent(code.parent(above))
    if isinstance(above, cst.ComparisonTarget):
        return code.source(code.parent(above)).startswith("type(")
    call = code.parent(above)
    return isinstance(above, cst.Arg) and isinstance(call, cst.Call) and code.source(call.func) == "isinstance"


def _inserted(code: PythonDocument, wanted: set[str]) -> list[Edit]:
    """A new import below that of the package."""
    modules = [
        node
        for node in code.nodes(cst.Import)
        if any(alias.evaluated_name.split(".")[0] == PACKAGE for alias in node.names)
    ]
    nodes = [*(node for node, _ in imports_from(code, *HOMES)), *modules]
    return [code.insert_after(code.statement(nodes[-1]), *_import_lines(code, wanted))] if nodes and wanted else []


def _added(code: PythonDocument, node: cst.ImportFrom, aliases: list[cst.ImportAlias], wanted: set[str]) -> list[Edit]:
    """More names for an import of the new SDK that is there."""
    present = {alias.evaluated_name for alias in aliases}
    missing = wanted - present
    if not missing:
        return []
    kept = {alias.evaluated_name: code.source(alias).rstrip(", \t\n") for alias in aliases}
    named = {name: _imported(code, name) for name in missing} | kept
    lines = _laid_out([named[name] for name in sorted(named)], code.indent_unit)
    return [code.replace(node, (code.newline + code.indent(code.statement(node))).join(lines))]


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
