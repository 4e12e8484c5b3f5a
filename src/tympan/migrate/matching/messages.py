"""Which expressions are messages of the service, and where their keys are read. PURE.

A message is what its `message_type` is asked for, or its `type` where that is compared with a name of the
protocol; what is assigned from such a variable, or passed to a function of the file, is one too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.calls import called_functions
from tympan.migrate.matching.evidence import remember, speaks_v2
from tympan.migrate.matching.names import (
    BindingKind,
    bindings,
    parameters,
    uses,
    value_of,
    variable_key,
)
from tympan.migrate.matching.source import Function, PythonDocument
from tympan.migrate.matching.strings import quote_at, text_of

V3_TYPE_NAMES = frozenset({"Begin", "Turn", "Termination"})
_OLD_FIELDS = frozenset({"message_type", "audio_start", "audio_end", "punctuated", "text_formatted"})
"""Fields that tell messages of v2, in a file that speaks v2."""
_NEW_FIELDS = frozenset({"end_of_turn", "turn_is_formatted", "end_of_turn_confidence"})
"""Fields that only messages of v3 have."""

_HINT = re.compile("|".join((*sorted(_NEW_FIELDS), *(f"['\"]{name}['\"]" for name in sorted(V3_TYPE_NAMES)))))
"""Without one of these words, and without v2, there is no message in a file."""
_SERVICE = re.compile("assemblyai|/v3/ws|transcript|end_of_turn|turn_is_formatted")
"""Nor without one of these: other services and games have a `Turn` too."""

Key = tuple[object, ...]


class Style(Enum):
    """How a key is asked for."""

    SUBSCRIPT = auto()
    GET = auto()
    CONTAINS = auto()
    """`"key" in message`."""


@dataclass(frozen=True, slots=True)
class Access:
    """A key of something, read. `node` is the whole expression."""

    node: cst.BaseExpression
    base: cst.BaseExpression
    key: str
    key_node: cst.BaseExpression
    style: Style
    default: cst.BaseExpression | None = None


def accesses(code: PythonDocument) -> list[Access]:
    """Every key that is read with a text which the file tells, in the order of the text."""
    if "accesses" not in code.memo:
        found = [
            access
            for node in code.nodes(cst.Subscript, cst.Call, cst.Comparison)
            if (access := _access(code, node)) is not None
        ]
        code.memo["accesses"] = sorted(found, key=lambda access: code.span(access.node))
    known: list[Access] = code.memo["accesses"]
    return known


def message_accesses(code: PythonDocument) -> list[Access]:
    """Those whose base is a message."""
    keys = _message_keys(code)
    return [access for access in accesses(code) if variable_key(code, access.base) in keys] if keys else []


def pattern_fields(code: PythonDocument) -> Iterator[tuple[str, cst.SimpleString]]:
    """The keys in `case {"key": …}` over messages."""
    for pattern in code.nodes(cst.MatchMapping) if _message_keys(code) else ():
        match = code.enclosing(pattern, cst.Match)
        if match is not None and is_message(code, match.subject):
            for element in pattern.elements:
                if isinstance(element.key, cst.SimpleString) and isinstance(element.key.evaluated_value, str):
                    yield element.key.evaluated_value, element.key


def is_message(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """Whether an expression is a message of the service."""
    return variable_key(code, node) in _message_keys(code)


def type_access(code: PythonDocument, node: cst.BaseExpression) -> Access | None:
    """The reading of a message's type that an expression is: itself, or through a variable."""
    if isinstance(node, cst.NamedExpr):
        node = node.value
    access = _access(code, node) if isinstance(node, cst.Subscript | cst.Call) else None
    if access is not None:
        return access if access.key in ("message_type", "type") and is_message(code, access.base) else None
    if isinstance(node, cst.Name | cst.Attribute):
        for binding in bindings(code, node):
            if binding.kind is BindingKind.PARAMETER:
                return _given_type(code, binding.target)
            if binding.value is not None and not isinstance(binding.value, cst.Name | cst.Attribute):
                found = type_access(code, binding.value)
                if found is not None:
                    return found
    return None


def _given_type(code: PythonDocument, parameter: cst.CSTNode) -> Access | None:
    """A parameter that gets the type of a message which the same call passes too: `show(kind, message)`."""
    function = code.function(parameter)
    if function is None or not isinstance(parameter, cst.Name) or parameter.value not in parameters(function):
        return None
    names = parameters(function)
    nodes = {p.name.value: p.name for p in (*function.params.posonly_params, *function.params.params)}
    position = names.index(parameter.value)
    for call in code.nodes(cst.Call):
        values = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        if len(values) <= position or function not in called_functions(code, call):
            continue
        value = values[position]
        access = None if _is_parameter(code, value) else type_access(code, value)
        for other, given in zip(names, values, strict=False):
            if access is not None and variable_key(code, given) == variable_key(code, access.base):
                return replace(access, node=parameter, base=nodes[other])
    return None


def _is_parameter(code: PythonDocument, node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and any(b.kind is BindingKind.PARAMETER for b in bindings(code, node))


def renamed(code: PythonDocument, access: Access, key: str) -> list[Edit]:
    """The same access with another key; empty where the key stands in no literal of its own."""
    node: cst.BaseExpression | None = access.key_node
    if isinstance(node, cst.Name | cst.Attribute):
        node = value_of(code, node)
    return [retexted(code, node, key)] if isinstance(node, cst.SimpleString) else []


def retexted(code: PythonDocument, node: cst.SimpleString, text: str) -> Edit:
    """Other text in the quotes of a literal."""
    span = code.span(node)
    return Edit(Span(span.start + len(node.prefix) + len(node.quote), span.end - len(node.quote)), text)


def field(code: PythonDocument, access: Access, name: str, quote: str = "") -> str:
    """Source that reads another field of the same message, in the manner of an access."""
    quote = quote or own_quote(code, access)
    base = code.source(access.base)
    return f"{base}[{quote}{name}{quote}]" if access.style is Style.SUBSCRIPT else f"{base}.get({quote}{name}{quote})"


def own_quote(code: PythonDocument, access: Access) -> str:
    """The quote that an access is written with."""
    key = access.key_node
    return quote_at(code, access.node, key.quote[0] if isinstance(key, cst.SimpleString) else '"')


def _access(code: PythonDocument, node: cst.CSTNode) -> Access | None:
    match node:
        case cst.Subscript(value=base, slice=[cst.SubscriptElement(slice=cst.Index(value=key))]):
            text = text_of(code, key)
            return None if text is None else Access(node, base, text, key, Style.SUBSCRIPT)
        case cst.Call(func=cst.Attribute(value=base, attr=cst.Name("get" | "pop")), args=args) if 1 <= len(args) <= 2:
            text = text_of(code, args[0].value)
            default = args[1].value if len(args) == 2 else None
            return None if text is None else Access(node, base, text, args[0].value, Style.GET, default)
        case cst.Comparison(
            left=key, comparisons=[cst.ComparisonTarget(operator=cst.In() | cst.NotIn(), comparator=base)]
        ):
            text = text_of(code, key)
            if text is None or not isinstance(base, cst.Name | cst.Attribute):
                return None
            return Access(node, base, text, key, Style.CONTAINS)
    return None


def _message_keys(code: PythonDocument) -> set[Key]:
    if "messages" not in code.memo:
        code.memo["messages"] = set()  # what is asked for meanwhile finds none
        if speaks_v2(code) or (_HINT.search(code.text) and _SERVICE.search(code.text)):
            code.memo["messages"] = _spread(code, set(_seeds(code)))
            remember(code, (_fact(code, access) for access in message_accesses(code)))
    keys: set[Key] = code.memo["messages"]
    return keys


def _seeds(code: PythonDocument) -> Iterator[Key]:
    is_v2 = speaks_v2(code)
    for access in accesses(code):
        is_seed = (
            access.key in _NEW_FIELDS or _fact(code, access) in code.context or (is_v2 and access.key in _OLD_FIELDS)
        )
        if is_seed or (access.key == "type" and _is_compared_with(code, access.node, V3_TYPE_NAMES)):
            yield variable_key(code, access.base)
    for pattern in code.nodes(cst.MatchMapping):
        if is_v2 and "message_type" in pattern_keys(pattern):
            subject = code.enclosing(pattern, cst.Match)
            if subject is not None:
                yield variable_key(code, subject.subject)


def _fact(code: PythonDocument, access: Access) -> str:
    """What is remembered of a message in the next round of a fix: the names of functions and variables stay."""
    functions = [above.name.value for above in code.ancestors(access.node) if isinstance(above, cst.FunctionDef)]
    return f"message {'.'.join(functions)} {code.source(access.base)}"


def pattern_keys(pattern: cst.MatchMapping) -> list[str]:
    """The keys of `case {"key": …}`."""
    keys = [e.key for e in pattern.elements if isinstance(e.key, cst.SimpleString)]
    return [key.evaluated_value for key in keys if isinstance(key.evaluated_value, str)]


def _is_compared_with(code: PythonDocument, node: cst.BaseExpression, names: frozenset[str]) -> bool:
    """Whether an expression, or a variable that gets its value, is compared with one of these texts."""
    parent = code.parent(node)
    if isinstance(parent, cst.Comparison):
        return bool(names & set(_texts_in(code, parent)))
    if isinstance(parent, cst.Match):
        values = [p.value for p in _patterns(parent) if isinstance(p, cst.MatchValue)]
        return any(text_of(code, value) in names for value in values)
    if isinstance(parent, cst.Assign) and isinstance(parent.targets[0].target, cst.Name):
        return any(
            isinstance(code.parent(use), cst.Comparison | cst.Match) and _is_compared_with(code, use, names)
            for use in uses(code, parent.targets[0].target)
        )
    return False


def _texts_in(code: PythonDocument, comparison: cst.Comparison) -> Iterator[str]:
    for node in (comparison.left, *(target.comparator for target in comparison.comparisons)):
        elements: Sequence[cst.BaseElement] = getattr(node, "elements", ())
        for value in (node, *(e.value for e in elements if isinstance(e, cst.Element))):
            text = text_of(code, value)
            if text is not None:
                yield text


def _patterns(match: cst.Match) -> Iterator[cst.MatchPattern]:
    for case in match.cases:
        yield from alternatives(case.pattern)


def alternatives(pattern: cst.MatchPattern) -> list[cst.MatchPattern]:
    """`a | b` as a list."""
    return [e.pattern for e in pattern.patterns] if isinstance(pattern, cst.MatchOr) else [pattern]


def _spread(code: PythonDocument, keys: set[Key]) -> set[Key]:
    """What messages are assigned and passed to, until nothing is new."""
    if not keys:
        return keys
    while True:
        new = {key for key in (*_assigned(code, keys), *_passed(code, keys)) if key not in keys}
        if not new:
            return keys
        keys |= new


def _assigned(code: PythonDocument, keys: set[Key]) -> Iterator[Key]:
    for assign in code.nodes(cst.Assign):
        if isinstance(assign.value, cst.Name | cst.Attribute) and variable_key(code, assign.value) in keys:
            yield from (variable_key(code, target.target) for target in assign.targets)


def _passed(code: PythonDocument, keys: set[Key]) -> Iterator[Key]:
    for call in code.nodes(cst.Call):
        given = [i for i, arg in enumerate(call.args) if not arg.star and not arg.keyword and _is_in(code, arg, keys)]
        for function in called_functions(code, call) if given else ():
            names = parameters(function)
            for position in given:
                if position < len(names):
                    yield _parameter_key(code, function, names[position])


def _is_in(code: PythonDocument, arg: cst.Arg, keys: set[Key]) -> bool:
    return isinstance(arg.value, cst.Name | cst.Attribute | cst.Call) and variable_key(code, arg.value) in keys


def _parameter_key(code: PythonDocument, function: Function, name: str) -> Key:
    params = (*function.params.posonly_params, *function.params.params)
    node = next(param.name for param in params if param.name.value == name)
    return variable_key(code, node)
