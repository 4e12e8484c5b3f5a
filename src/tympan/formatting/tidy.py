"""One spelling for characters that look alike. PURE: standard library only.

Composed Unicode (NFC), straight quotes, plain hyphens; a dash between words is a hyphen too, because it is
one word here. Idempotent.
"""

from __future__ import annotations

import re
import unicodedata

_LOOKALIKES = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‚": "'",
        "‛": "'",
        "ʼ": "'",
        "′": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "‟": '"',
        "″": '"',
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "―": "-",
        "−": "-",
        "…": "...",
        "\u00ad": None,
        "\u200b": None,
        "\u200c": None,
        "\u200d": None,
        "\ufeff": None,
    }
)
_DASHES = re.compile("-{2,}")


def tidy_text(text: str) -> str:
    """The text in its one spelling."""
    return _DASHES.sub("-", unicodedata.normalize("NFC", text.translate(_LOOKALIKES)))
