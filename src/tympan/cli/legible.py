"""What a service says, as a terminal or a file of lines may be given it. Pure: no I/O.

Control characters move the cursor, rename windows or begin lines that nobody said, and half of a surrogate pair can't
be written; they are spaces here.
"""

from __future__ import annotations

import re

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def legible(text: str) -> str:
    """The text without control characters, line breaks and halves of surrogate pairs."""
    return _UNFIT.sub(" ", text)
