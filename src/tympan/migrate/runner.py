"""Run rules over a document; apply fixes until none is left. PURE: no files.

All rules look at the same text, and all fixes that don't touch each other's characters are made at once; what
had to wait is looked for again in the new text. A set of edits after which the text can't be read is never made.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tympan.migrate.discovery import AnyRule
from tympan.migrate.document import Document, Edit, Unreadable, apply_edits
from tympan.migrate.rule import Applicability, Finding, Target
from tympan.migrate.suppression import is_suppressed

_MOST_ROUNDS = 12
"""Fixes of the rules settle in two or three; a rule that never does is stopped here."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fix made of a document. `fixed` stand in the text before, `left` in the text after."""

    document: Document
    fixed: tuple[Finding, ...]
    left: tuple[Finding, ...]


def check(document: Document, rules: Iterable[AnyRule], target: Target) -> list[Finding]:
    """Every finding that isn't suppressed, in the order of the text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's, of odd escapes in the texts that rules evaluate
        found = {
            finding
            for rule in rules
            if isinstance(document, rule.document_type)
            for finding in rule.check(document, target)
            if not is_suppressed(document, finding)
        }
    return sorted(found, key=lambda finding: (finding.span, finding.code, finding.message))


def fix(document: Document, rules: Sequence[AnyRule], target: Target, *, with_unsafe: bool = False) -> Outcome:
    """Apply the fixes that are allowed, again and again until there is none."""
    fixed: list[Finding] = []
    left = check(document, rules, target)
    for _ in range(_MOST_ROUNDS):
        document, done = _apply(document, [finding for finding in left if _is_wanted(finding, with_unsafe)])
        if not done:
            break
        fixed += done
        left = check(document, rules, target)
    return Outcome(document, tuple(fixed), tuple(left))


def _is_wanted(finding: Finding, with_unsafe: bool) -> bool:
    return finding.applicability is Applicability.SAFE or (with_unsafe and finding.fix is not None)


def _apply(document: Document, findings: Sequence[Finding]) -> tuple[Document, list[Finding]]:
    """The document after as many of these fixes as go together, and which."""
    chosen = _compatible(findings)
    if not chosen:
        return document, []
    try:
        return document.reopened(_edited(document.text, chosen)), chosen
    except Unreadable:
        return _apply_readable(document, chosen)


def _apply_readable(document: Document, findings: Sequence[Finding]) -> tuple[Document, list[Finding]]:
    """As `_apply`, but leaves out each fix that would make the text unreadable."""
    done: list[Finding] = []
    result = document
    for finding in findings:
        try:
            result = document.reopened(_edited(document.text, [*done, finding]))
        except Unreadable:
            continue
        done.append(finding)
    return result, done


def _compatible(findings: Iterable[Finding]) -> list[Finding]:
    """Findings whose edits don't overlap, first come first served. The same edit may be wanted by several."""
    chosen: list[Finding] = []
    taken: set[Edit] = set()
    for finding in findings:
        edits = finding.fix.edits if finding.fix else ()
        if all(edit in taken or not _collides(edit, taken) for edit in edits):
            taken.update(edits)
            chosen.append(finding)
    return chosen


def _collides(edit: Edit, taken: Iterable[Edit]) -> bool:
    """Two things to insert at one place collide as well: both may be the import of the same names."""
    return any(edit.span.overlaps(other.span) or _inserts_beside(edit, other) for other in taken)


def _inserts_beside(edit: Edit, other: Edit) -> bool:
    return edit.span == other.span and edit.span.start == edit.span.end


def _edited(text: str, findings: Iterable[Finding]) -> str:
    edits = dict.fromkeys(edit for finding in findings if finding.fix for edit in finding.fix.edits)
    return apply_edits(text, edits)
