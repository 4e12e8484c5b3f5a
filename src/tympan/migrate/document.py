"""A text with places in it, and edits to it. PURE: standard library only.

A file is opened as one or more documents (a notebook has one, made of its cells); rules look at documents and
give edits to their text. Whatever an edit doesn't cover stays as it is, byte for byte.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_LINE_END = re.compile(r"\r\n|\n|\r")


class Unreadable(Exception):
    """The text isn't what its file name says; carries where (offset) and why."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` up to, not including, `end`."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Whether both cover a character, or one inserts inside the other."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Put `replacement` in the place of `span`; an empty span inserts."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column as editors count them, both from 1."""

    line: int
    column: int


class Document:
    """A text. Subclasses know what is in it.

    `context` is what earlier rounds of the same fix knew: after the first edits a program may no longer look
    like one of the old protocol, and is still one that is being moved.
    """

    def __init__(self, text: str, context: frozenset[str] = frozenset()) -> None:
        self.text = text
        self.context = context

    def reopened(self, text: str) -> Document:
        """The same document after edits.

        Raises:
            Unreadable: the edits broke it.
        """
        return type(self)(text, self.context | self.known())

    def known(self) -> frozenset[str]:
        """Facts to remember in the next round of a fix."""
        return self.context

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which lines begin."""
        return (0, *(end.end() for end in _LINE_END.finditer(self.text)))

    def place(self, offset: int) -> Place:
        """Where a character stands."""
        line = bisect_right(self.line_starts, offset)
        return Place(line, offset - self.line_starts[line - 1] + 1)

    def line_of(self, number: int) -> str:
        """The text of a line, without its end; numbers count from 1."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    @cached_property
    def newline(self) -> str:
        """How its lines end: as the first one does."""
        found = _LINE_END.search(self.text)
        return found.group() if found else "\n"


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that don't overlap; insertions at one place keep their order."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        pieces += (text[position : edit.span.start], edit.replacement)
        position = edit.span.end
    return "".join((*pieces, text[position:]))
