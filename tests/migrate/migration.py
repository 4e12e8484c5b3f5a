"""What the migration's tests share: open a text as a file of some name, check it, fix it."""

from __future__ import annotations

from tympan.migrate.discovery import all_rules
from tympan.migrate.document import Document
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.rule import Finding, Target
from tympan.migrate.runner import Outcome, check, fix


def opened(source: str, file_name: str = "program.py") -> Document:
    kind = format_of(file_name)
    assert kind is not None
    (document,) = kind.open(source).documents
    return document


def found(source: str) -> list[Finding]:
    return check(opened(source), all_rules(), Target())


def fixed(source: str, host: str | None = None, *, with_unsafe: bool = False) -> Outcome:
    target = Target() if host is None else Target.of(host)
    return fix(opened(source), all_rules(), target, with_unsafe=with_unsafe)
