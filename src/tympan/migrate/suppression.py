"""`# tympan: ignore[TM004]` at the end of a line: findings that the author doesn't want. PURE.

Without codes every finding of the line is meant. The comment may stand on any line that the finding covers,
after `#` or `//`.
"""

from __future__ import annotations

import re

from tympan.migrate.document import Document
from tympan.migrate.rule import Finding

_COMMENT = re.compile(r"(?:#|//)\s*tympan:\s*ignore(?:\[(?P<codes>[^\]]*)\])?")


def is_suppressed(document: Document, finding: Finding) -> bool:
    """Whether a comment on one of its lines asks not to tell it."""
    first = document.place(finding.span.start).line
    last = document.place(max(finding.span.start, finding.span.end - 1)).line
    return any(_mentions(document.line_of(number), finding.code) for number in range(first, last + 1))


def _mentions(line: str, code: str) -> bool:
    for comment in _COMMENT.finditer(line):
        codes = comment["codes"]
        if codes is None or code in {name.strip() for name in codes.split(",")}:
            return True
    return False
