"""Python source as a tree with places: what every rule for Python starts from. PURE.

`span`, `source`, `statement` go from a node to the text; `replace`, `insert_before`, `delete` … make edits. Names
and values are in `names.py`, texts in `strings.py`, numbers in `numbers.py`, the old protocol's messages in
`messages.py`, sockets in `sockets.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, overload

import libcst as cst
from libcst.metadata import (
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

from tympan.migrate.document import Document, Edit, Span, Unreadable
from tympan.migrate.matching.parsing import is_text, parsed

N = TypeVar("N", bound=cst.CSTNode)
M = TypeVar("M", bound=cst.CSTNode)

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
Function = cst.FunctionDef | cst.Lambda

EVIDENCE = "evidence"
"""Key in `memo` for what is remembered in the next round of a fix."""


class PythonDocument(Document):
    """A Python program or a part of one."""

    def __init__(self, text: str, context: frozenset[str] = frozenset()) -> None:
        super().__init__(text, context)
        self.module = parsed(text)
        for node in self.nodes(cst.SimpleString):
            if not is_text(node.value):
                raise Unreadable("a text that Python can't read", self.span(node).start)

    def known(self) -> frozenset[str]:
        evidence: frozenset[str] = self.memo.get(EVIDENCE, frozenset())
        return self.context | evidence

    @cached_property
    def _metadata(self) -> MetadataWrapper:
        # The tree comes from the parser, which makes no node twice: there is nothing to copy.
        return MetadataWrapper(self.module, unsafe_skip_copy=True)

    @cached_property
    def _positions(self) -> Mapping[cst.CSTNode, Any]:
        return self._metadata.resolve(PositionProvider)

    @cached_property
    def _parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        return self._metadata.resolve(ParentNodeProvider)

    @cached_property
    def _scopes(self) -> Mapping[cst.CSTNode, Any]:
        return self._metadata.resolve(ScopeProvider)

    @cached_property
    def memo(self) -> dict[str, Any]:
        """Where the modules of `matching` keep what they found out about this document."""
        return {}

    # Going through the tree

    @cached_property
    def _by_type(self) -> Mapping[type, list[cst.CSTNode]]:
        found: dict[type, list[cst.CSTNode]] = defaultdict(list)
        stack: list[cst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            found[type(node)].append(node)
            stack.extend(reversed(node.children))
        return found

    @overload
    def nodes(self, kind: type[N], /) -> list[N]: ...
    @overload
    def nodes(self, kind: type[N], other: type[M], /) -> list[N | M]: ...
    @overload
    def nodes(self, *kinds: type[cst.CSTNode]) -> list[Any]: ...
    def nodes(self, *kinds: type[cst.CSTNode]) -> list[Any]:
        """Every node of these (concrete) kinds; of one kind in the order of the text."""
        return [node for kind in kinds for node in self._by_type.get(kind, ())]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """The node above; the module for the module."""
        return self._parents.get(node, self.module)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """From the node above it up to the module."""
        while node is not self.module:
            node = self.parent(node)
            yield node

    @overload
    def enclosing(self, node: cst.CSTNode, kind: type[N], /) -> N | None: ...
    @overload
    def enclosing(self, node: cst.CSTNode, kind: type[N], other: type[M], /) -> N | M | None: ...
    def enclosing(self, node: cst.CSTNode, *kinds: type[cst.CSTNode]) -> cst.CSTNode | None:
        """The nearest node above it of one of these kinds."""
        return next((above for above in self.ancestors(node) if isinstance(above, kinds)), None)

    def function(self, node: cst.CSTNode) -> Function | None:
        """The function in whose body it stands."""
        return self.enclosing(node, cst.FunctionDef, cst.Lambda)

    def statement(self, node: cst.CSTNode) -> Statement:
        """The statement that it belongs to: a line, or a compound statement of whose head it is a part."""
        for above in (node, *self.ancestors(node)):
            if isinstance(above, cst.SimpleStatementLine | cst.BaseCompoundStatement):
                return above
        raise LookupError(f"{type(node).__name__} stands in no statement")

    def block(self, statement: Statement) -> Sequence[cst.BaseStatement]:
        """The statements among which it stands."""
        parent = self.parent(statement)
        body = getattr(parent, "body", ())
        return body if isinstance(body, Sequence) else ()

    def scope(self, node: cst.CSTNode) -> Scope | None:
        """The scope in which a name at this node is looked up."""
        for above in (node, *self.ancestors(node)):
            scope = self._scopes.get(above)
            if isinstance(scope, Scope):
                return scope
        return None

    # From the tree to the text

    def span(self, node: cst.CSTNode) -> Span:
        """The characters of a node, without parentheses around it."""
        place = self._positions[node]
        return Span(self._offset(place.start), self._offset(place.end))

    def outer_span(self, node: cst.CSTNode) -> Span:
        """As `span`, with the parentheses that belong to the node."""
        span = self.span(node)
        left, right = getattr(node, "lpar", ()), getattr(node, "rpar", ())
        if not left or not right:
            return span
        return Span(self._offset(self._positions[left[0]].start), self._offset(self._positions[right[-1]].end))

    def source(self, node: cst.CSTNode) -> str:
        """The text of a node, without parentheses around it."""
        span = self.span(node)
        return self.text[span.start : span.end]

    def indent(self, statement: cst.CSTNode) -> str:
        """What stands before a statement on its line."""
        start = self.span(statement).start
        line_start = self.line_starts[self.place(start).line - 1]
        return self.text[line_start:start]

    def is_on_own_lines(self, statement: cst.CSTNode) -> bool:
        """Whether nothing but its indentation stands before it on its line."""
        return not self.indent(statement).strip()

    @cached_property
    def indent_unit(self) -> str:
        """One level of indentation, as this file has it."""
        return self.module.default_indent

    def _offset(self, position: Any) -> int:
        offset: int = self.line_starts[position.line - 1] + position.column
        return min(offset, len(self.text))

    # Edits

    def replace(self, node: cst.CSTNode, text: str, *, with_parentheses: bool = False) -> Edit:
        """Put other text in the place of a node."""
        return Edit(self.outer_span(node) if with_parentheses else self.span(node), text)

    def insert_before(self, statement: Statement, *lines: str) -> Edit:
        """Insert lines above a statement (and below comments above it), indented as it is."""
        start = self.span(statement).start
        indent = self.indent(statement)
        inserted = "".join(line + self.newline + indent if line else self.newline for line in lines)
        return Edit(Span(start, start), inserted)

    def insert_after(self, statement: Statement, *lines: str) -> Edit:
        """Insert lines below a statement, indented as it is."""
        end = self._line_end(self.span(statement).end)
        indent = self.indent(statement)
        before = "" if end == 0 or self.text[end - 1] in "\r\n" else self.newline
        return Edit(Span(end, end), before + "".join(indent + line + self.newline for line in lines))

    def insert_at_start(self, function: cst.FunctionDef, *lines: str) -> Edit | None:
        """Insert lines at the start of a function's body, below its docstring and `global`; None: it is one line."""
        if not isinstance(function.body, cst.IndentedBlock):
            return None
        statements = list(function.body.body)
        first = next((s for s in statements if not _is_preamble(s)), None)
        if isinstance(first, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            return self.insert_before(first, *lines)
        last = statements[-1]
        return self.insert_after(last, *lines) if isinstance(last, cst.SimpleStatementLine) else None

    def delete(self, statement: Statement) -> Edit:
        """Delete a statement and its line end; `pass` where nothing else would be left in its block."""
        if len(self.block(statement)) <= 1:
            return self.replace(statement, "pass")
        span = self.span(statement)
        start = span.start - len(self.indent(statement))
        return Edit(Span(start, self._line_end(span.end)), "")

    def _line_end(self, offset: int) -> int:
        """Where the next line begins."""
        line = self.place(offset).line
        return self.line_starts[line] if line < len(self.line_starts) else len(self.text)


def _is_preamble(statement: cst.BaseStatement) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    first = statement.body[0]
    is_docstring = isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString | cst.ConcatenatedString)
    return is_docstring or isinstance(first, cst.Global | cst.Nonlocal)
