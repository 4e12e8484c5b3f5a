"""What names stand for: imports followed, assignments found, in a scope, in a class, in a file. PURE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import libcst as cst
from libcst.metadata import Assignment, ClassScope, GlobalScope, QualifiedNameSource, Scope

from tympan.migrate.matching.source import Function, PythonDocument


class BindingKind(Enum):
    """How a name gets its value."""

    ASSIGNED = auto()
    PARAMETER = auto()
    ITERATED = auto()
    """`for x in value`; also in comprehensions."""
    ENTERED = auto()
    """`with value as x`."""
    DEFINED = auto()
    """`def x`, `class x`, `import x`."""
    CHANGED = auto()
    """`x += value`, `del x`, and whatever else."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One way in which a name gets a value. `target` is the name's node (or the definition)."""

    kind: BindingKind
    target: cst.CSTNode
    value: cst.BaseExpression | None = None


def qualified(code: PythonDocument, node: cst.CSTNode) -> str:
    """The full name of a name or an attribute, imports and aliases followed: `websocket.WebSocketApp`.

    A name that isn't imported stands for itself, empty where the node is no dotted name.
    """
    dotted = _dotted(node)
    scope = code.scope(node)
    if not dotted or scope is None:
        return dotted
    imported = sorted(
        name.name for name in scope.get_qualified_names_for(dotted) if name.source is QualifiedNameSource.IMPORT
    )
    return imported[0] if imported else dotted


def _dotted(node: cst.CSTNode) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return ""
    return ".".join([node.value, *reversed(parts)])


def is_call_of(code: PythonDocument, node: cst.CSTNode, *names: str) -> bool:
    """Whether it calls one of these, by full name."""
    return isinstance(node, cst.Call) and qualified(code, node.func) in names


def argument(call: cst.Call, keyword: str, position: int | None = None) -> cst.BaseExpression | None:
    """An argument by keyword, or by position. None: not given (or hidden in `*args`)."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == keyword:
            return arg.value
    if position is None or position >= len(call.args) or any(arg.star for arg in call.args[: position + 1]):
        return None
    return call.args[position].value if call.args[position].keyword is None else None


def bindings(code: PythonDocument, node: cst.BaseExpression) -> list[Binding]:
    """Every way in which a name (or an attribute like `self.x`, `Config.X`) gets its value in this file."""
    if isinstance(node, cst.Name):
        scope = code.scope(node)
        if scope is None:
            return []
        return [_binding(code, found.node) for found in scope[node.value] if isinstance(found, Assignment)]
    if isinstance(node, cst.Attribute):
        return [
            Binding(BindingKind.ASSIGNED, t, v) for t, v in _attribute_table(code).get(attribute_key(code, node), ())
        ]
    return []


def value_of(code: PythonDocument, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """The only value that a name or attribute has in this file; None: none, or several."""
    found = bindings(code, node)
    if len(found) != 1 or found[0].kind is not BindingKind.ASSIGNED:
        return None
    return found[0].value


def uses(code: PythonDocument, target: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Where the name or attribute bound at `target` is read, in this file."""
    if isinstance(target, cst.Name):
        return _name_uses(code, target)
    if isinstance(target, cst.Attribute):
        key = attribute_key(code, target)
        found = [a for a in code.nodes(cst.Attribute) if attribute_key(code, a) == key]
        return [attribute for attribute in found if not isinstance(code.parent(attribute), cst.AssignTarget)]
    return []


def _name_uses(code: PythonDocument, target: cst.Name) -> list[cst.BaseExpression]:
    scope = code.scope(target)
    if scope is None:
        return []
    found: list[cst.BaseExpression] = []
    for assignment in scope[target.value]:
        for access in assignment.references:
            node: cst.BaseExpression = access.node
            while isinstance(node, cst.Attribute):
                node = node.value  # scope analysis names the longest dotted name
            if isinstance(node, cst.Name) and node not in found:
                found.append(node)
    for attribute in _class_attribute_uses(code, target):
        if attribute not in found:
            found.append(attribute)
    return sorted(found, key=lambda node: code.span(node))


def _class_attribute_uses(code: PythonDocument, target: cst.Name) -> Iterator[cst.Attribute]:
    """A name bound in a class body is also read as `Class.name` and `self.name`."""
    if not isinstance(code.scope(target), ClassScope):
        return
    owner = code.enclosing(target, cst.ClassDef)
    if owner is None:
        return
    for attribute in code.nodes(cst.Attribute):
        if attribute_key(code, attribute) == (owner.name.value, target.value):
            yield attribute


def defining_scope(code: PythonDocument, node: cst.Name) -> Scope | None:
    """The scope whose variable a name is."""
    scope = code.scope(node)
    if scope is None:
        return None
    for assignment in scope[node.value]:
        return assignment.scope
    return scope


def variable_key(code: PythonDocument, node: cst.BaseExpression) -> tuple[object, ...]:
    """Equal for two expressions that mean the same variable; otherwise the same text in the same function."""
    if isinstance(node, cst.Name):
        return ("name", id(defining_scope(code, node)), node.value)
    if isinstance(node, cst.Attribute):
        return ("attribute", *attribute_key(code, node))
    return ("expression", id(code.function(node)), code.source(node))


def attribute_key(code: PythonDocument, node: cst.Attribute) -> tuple[str, str]:
    """(class, attribute) for `self.x` and `Class.x`; (what stands before the dot, attribute) for others."""
    owner = node.value
    if isinstance(owner, cst.Name):
        if owner.value in ("self", "cls"):
            around = code.enclosing(node, cst.ClassDef)
            if around is not None:
                return (around.name.value, node.attr.value)
        return (owner.value, node.attr.value)
    return (code.source(owner), node.attr.value)


def functions_named(code: PythonDocument, node: cst.BaseExpression) -> list[Function]:
    """The functions of this file that an expression (a name, `self.method`, a lambda) means."""
    if isinstance(node, cst.Lambda):
        return [node]
    if isinstance(node, cst.Name):
        return [b.target for b in bindings(code, node) if isinstance(b.target, cst.FunctionDef)]
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        class_name, name = attribute_key(code, node)
        return [
            function
            for function in code.nodes(cst.FunctionDef)
            if function.name.value == name
            and (owner := code.enclosing(function, cst.ClassDef, cst.FunctionDef)) is not None
            and isinstance(owner, cst.ClassDef)
            and owner.name.value == class_name
        ]
    return []


def parameters(function: Function) -> list[str]:
    """Names of a function's positional parameters, `self` left out."""
    names = [param.name.value for param in (*function.params.posonly_params, *function.params.params)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_module_level(code: PythonDocument, name: cst.Name) -> bool:
    """Whether it is a variable of the module."""
    return isinstance(defining_scope(code, name), GlobalScope)


def is_name_free(code: PythonDocument, name: str) -> bool:
    """Whether no variable, import or function of the file has this name."""
    return all(node.value != name for node in code.nodes(cst.Name))


def _binding(code: PythonDocument, node: cst.CSTNode) -> Binding:
    """How the target node of an assignment gets its value."""
    if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Import | cst.ImportFrom | cst.ImportAlias):
        return Binding(BindingKind.DEFINED, node)
    if isinstance(node, cst.Param):
        return Binding(BindingKind.PARAMETER, node.name, node.default)
    parent = code.parent(node)
    match parent:
        case cst.AssignTarget():
            assign = code.parent(parent)
            return Binding(BindingKind.ASSIGNED, node, assign.value if isinstance(assign, cst.Assign) else None)
        case cst.AnnAssign(value=value) | cst.NamedExpr(value=value):
            return Binding(BindingKind.ASSIGNED, node, value)
        case cst.For(iter=source) | cst.CompFor(iter=source):
            return Binding(BindingKind.ITERATED, node, source)
        case cst.AsName():
            item = code.parent(parent)
            if isinstance(item, cst.WithItem):
                return Binding(BindingKind.ENTERED, node, item.item)
        case cst.Element():
            return _unpacked(code, node, parent)
    return Binding(BindingKind.CHANGED, node)


def _unpacked(code: PythonDocument, node: cst.CSTNode, element: cst.Element) -> Binding:
    """`a, b = x, y` gives each its own value."""
    targets = code.parent(element)
    above = code.parent(targets)
    assign = code.parent(above) if isinstance(above, cst.AssignTarget) else None
    if isinstance(targets, cst.Tuple) and isinstance(assign, cst.Assign) and isinstance(assign.value, cst.Tuple):
        names, values = targets.elements, assign.value.elements
        if len(names) == len(values) and not any(isinstance(e, cst.StarredElement) for e in (*names, *values)):
            return Binding(BindingKind.ASSIGNED, node, values[list(names).index(element)].value)
    return Binding(BindingKind.CHANGED, node)


def _attribute_table(
    code: PythonDocument,
) -> dict[tuple[str, str], list[tuple[cst.CSTNode, cst.BaseExpression]]]:
    """(class, attribute) → targets and values, from `self.x = …` and from class bodies."""
    if "attributes" not in code.memo:
        table: dict[tuple[str, str], list[tuple[cst.CSTNode, cst.BaseExpression]]] = defaultdict(list)
        for assign in code.nodes(cst.Assign, cst.AnnAssign):
            if assign.value is None:
                continue
            targets = [t.target for t in assign.targets] if isinstance(assign, cst.Assign) else [assign.target]
            for target in targets:
                key = _attribute_of(code, target)
                if key is not None:
                    table[key].append((target, assign.value))
        code.memo["attributes"] = table
    known: dict[tuple[str, str], list[tuple[cst.CSTNode, cst.BaseExpression]]] = code.memo["attributes"]
    return known


def _attribute_of(code: PythonDocument, target: cst.BaseExpression) -> tuple[str, str] | None:
    if isinstance(target, cst.Attribute):
        return attribute_key(code, target)
    owner = code.enclosing(target, cst.ClassDef, cst.FunctionDef)
    if isinstance(target, cst.Name) and isinstance(owner, cst.ClassDef):
        return (owner.name.value, target.value)
    return None
