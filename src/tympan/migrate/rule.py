"""What a rule is: a code, what it says to people, what it finds, and the cases that prove it.

A rule is one file, `rules/mNNN_….py`, with one class. It looks at a document and yields findings; a finding has
either a fix (edits, and whether they are safe) or says what to do by hand and why. VALID and INVALID are run by
one generic test; title, what, why and cases become the rule's page. A rule imports `libcst`, this module and
`tympan.migrate.matching`, nothing else of ours.

Safe: the rewritten program does on v3 what the old one did on v2, by what stands in the file alone.
Unsafe: rests on a guess, or changes something that a reader of the program may care about; needs `--unsafe`.
By hand: no edit; the finding says what to do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from tympan.migrate.document import Document, Edit, Span

D = TypeVar("D", bound=Document)

HOSTED_ADDRESS = "wss://streaming.assemblyai.com"


class Applicability(StrEnum):
    """What may be done with a finding."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: all are made, or none."""

    edits: tuple[Edit, ...]
    is_safe: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One hit of a rule. `advice`: what the fix does, or what to do by hand and why it can't be automatic."""

    code: str
    span: Span
    message: str
    advice: str
    fix: Fix | None = None

    @property
    def applicability(self) -> Applicability:
        if self.fix is None:
            return Applicability.BY_HAND
        return Applicability.SAFE if self.fix.is_safe else Applicability.UNSAFE


@dataclass(frozen=True, slots=True)
class Target:
    """Where the rewritten programs connect to. `socket` and `http` are addresses without a path."""

    socket: str = HOSTED_ADDRESS
    http: str = "https://streaming.assemblyai.com"

    @staticmethod
    def of(host: str) -> Target:
        """From HOST, HOST:PORT, or an address with a scheme; without one the connection is encrypted.

        Raises:
            ValueError: this is no host.
        """
        parts = urlsplit(host if "://" in host else f"wss://{host}")
        schemes = {"ws": ("ws", "http"), "wss": ("wss", "https"), "http": ("ws", "http"), "https": ("wss", "https")}
        is_host = parts.hostname and parts.path in ("", "/") and not parts.query and not parts.fragment
        if parts.scheme not in schemes or not is_host or any(c.isspace() or c in "\"'\\{}%" for c in host):
            raise ValueError(f"expected HOST, HOST:PORT or ws://HOST:PORT, got {host[:100]!r}")
        socket, http = schemes[parts.scheme]
        return Target(f"{socket}://{parts.netloc}", f"{http}://{parts.netloc}")


@dataclass(frozen=True, slots=True)
class Valid:
    """A document in which the rule finds nothing. `about`: what the case shows."""

    source: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A document in which the rule finds something, and what becomes of it; None: nothing, it is left to people.

    `is_unsafe`: the fix needs `--unsafe`.
    """

    source: str
    fixed: str | None
    is_unsafe: bool = False
    about: str = ""


class Rule(ABC, Generic[D]):
    """One thing that changed from v2 to v3."""

    code: ClassVar[str]
    """TM and three digits, those of the file's name."""
    title: ClassVar[str]
    what: ClassVar[str]
    """What it finds, and what the fix does. Markdown."""
    why: ClassVar[str]
    """What breaks if nothing is done. One or two sentences; also in the reports."""
    applicability: ClassVar[Applicability]
    """Of most findings; single ones may be weaker."""
    document_type: ClassVar[type[Document]]
    """Documents that it reads."""
    valid: ClassVar[Sequence[Valid]]
    invalid: ClassVar[Sequence[Invalid]]
    file_name: ClassVar[str] = "case.py"
    """Name under which the cases are opened."""

    @abstractmethod
    def check(self, document: D, target: Target) -> Iterator[Finding]:
        """What it finds, in any order."""

    def fixable(self, span: Span, message: str, advice: str, edits: Sequence[Edit], *, is_safe: bool = True) -> Finding:
        """A finding with a fix."""
        return Finding(self.code, span, message, advice, Fix(tuple(edits), is_safe))

    def by_hand(self, span: Span, message: str, advice: str) -> Finding:
        """A finding without one; `advice` says what to do, and why no program can."""
        return Finding(self.code, span, message, advice)
