"""What the hosted service had of v2 before it was retired, for the compatibility report: codes, and where ours differ.
PURE.

Its messages are those of the tables that the code runs on (protocol reference, section 8).
"""

from __future__ import annotations

from collections.abc import Mapping

CLOSE_CODES = frozenset({1000, 1013, 4000, 4001, 4008, 4029, 4031, 4032, 4033, 4100, 4101, 4102, 4104})
"""Those that are never sent here are in `close_codes`."""

DIFFERENCES: Mapping[str, str] = {
    "PartialTranscript": "none is sent while nobody speaks, where the hosted service sent empty ones",
    "SessionTerminated": "also sent before the close of a session that ends with an error: old clients wait for it",
}
"""By message; those without a line are the same."""
