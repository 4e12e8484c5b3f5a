"""Names that a rewritten program needs: under which name it has them already, or the import that adds them. PURE."""

from __future__ import annotations

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.source import PythonDocument


def imported(code: PythonDocument, module: str, name: str, *, from_module: bool = True) -> tuple[str, list[Edit]]:
    """Source that means `module.name`, and the edits that make it do so (none where it is imported already).

    `from_module`: a new import reads `from module import name`; otherwise `import module`.
    """
    known = _known(code, module, name)
    if known is not None:
        return known, []
    if from_module:
        started = _from(code, module)
        if started is not None:
            return name, [_one_more(code, started, name)]
    line = f"from {module} import {name}" if from_module else f"import {module}"
    return (name if from_module else f"{module}.{name}"), [_added(code, line)]


def imported_together(code: PythonDocument, module: str, *names: str) -> tuple[list[str], list[Edit]]:
    """As `imported`, for several names of a module: what is missing comes in one import."""
    known = {name: _known(code, module, name) for name in names}
    missing = [name for name in names if known[name] is None]
    edits: list[Edit] = []
    if missing:
        started = _from(code, module)
        text = ", ".join(missing)
        edits = [_added(code, f"from {module} import {text}") if started is None else _one_more(code, started, text)]
    return [known[name] or name for name in names], edits


def _one_more(code: PythonDocument, statement: cst.ImportFrom, name: str) -> Edit:
    """One name more in an import."""
    assert not isinstance(statement.names, cst.ImportStar)
    end = code.span(statement.names[-1].asname or statement.names[-1].name).end
    return Edit(Span(end, end), f", {name}")


def _from(code: PythonDocument, module: str) -> cst.ImportFrom | None:
    """The first `from module import …` of the module level."""
    for statement in _imports(code):
        for part in statement.body:
            if not isinstance(part, cst.ImportFrom) or isinstance(part.names, cst.ImportStar):
                continue
            if not part.relative and part.module is not None and code.source(part.module) == module:
                return part
    return None


def _known(code: PythonDocument, module: str, name: str) -> str | None:
    """How the module level of the file calls it."""
    parent, _, last = module.rpartition(".")
    for statement in _imports(code):
        for part in statement.body:
            if isinstance(part, cst.ImportFrom) and part.module is not None and not part.relative:
                source = code.source(part.module)
                for alias in part.names if not isinstance(part.names, cst.ImportStar) else ():
                    local = _local(code, alias)
                    if (source, code.source(alias.name)) == (module, name):
                        return local
                    if (source, code.source(alias.name)) == (parent, last):
                        return f"{local}.{name}"
            if isinstance(part, cst.Import):
                for alias in part.names:
                    if code.source(alias.name) == module:
                        return f"{_local(code, alias)}.{name}"
    return None


def _local(code: PythonDocument, alias: cst.ImportAlias) -> str:
    return code.source(alias.asname.name) if alias.asname is not None else code.source(alias.name)


def _imports(code: PythonDocument) -> list[cst.SimpleStatementLine]:
    """The import statements of the module level."""
    return [
        statement
        for statement in code.module.body
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Import | cst.ImportFrom)
    ]


def _added(code: PythonDocument, line: str) -> Edit:
    """An import below the first group of imports; without one, above the first statement that isn't a docstring."""
    last: cst.SimpleStatementLine | None = None
    for statement in code.module.body:
        if not isinstance(statement, cst.SimpleStatementLine):
            break
        if isinstance(statement.body[0], cst.Import | cst.ImportFrom):
            if last is not None and statement.leading_lines and not _is_future(last):
                break  # the first group is that of the standard library
            last = statement
        elif last is not None or not _is_docstring(statement):
            break
    if last is not None:
        return code.insert_after(last, line)
    first = next((s for s in code.module.body if not _is_docstring(s)), None)
    if isinstance(first, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        start = code.line_starts[code.place(code.span(first).start).line - 1]
        return Edit(Span(start, start), line + code.newline)
    return Edit(Span(len(code.text), len(code.text)), line + code.newline)


def _is_future(statement: cst.SimpleStatementLine) -> bool:
    first = statement.body[0]
    module = first.module if isinstance(first, cst.ImportFrom) else None
    return isinstance(module, cst.Name) and module.value == "__future__"


def _is_docstring(statement: cst.CSTNode) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    first = statement.body[0]
    return isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString | cst.ConcatenatedString)
