"""Changed final words: counted for every part that holds sessions, and over all of them. PURE."""

from __future__ import annotations

from collections.abc import Sequence

from bench.metrics import Stillness
from bench.report import Figure, Measured, at_most

_SECTION = "immutability"
_CHANGES = "changed final words"
_WORDS = "final words"
_SESSIONS = "sessions"


def part_figures(part: str, sessions: int, still: Stillness) -> list[Figure]:
    """What one part saw; nothing when it held no session."""
    if sessions == 0:
        return []
    counts = {_CHANGES: still.final_changes, _WORDS: still.final_words, _SESSIONS: sessions}
    return [
        Figure(_SECTION, name, count, "", "", at_most(0) if name == _CHANGES else None, variant=part)
        for name, count in counts.items()
    ]


def total_figures(rows: Sequence[Measured]) -> list[Figure]:
    """Over all parts in the table."""

    def added(name: str) -> float:
        figures = [row.figure for row in rows if row.figure.section == _SECTION and row.figure.variant]
        return sum(figure.value or 0 for figure in figures if figure.name == name)

    if not added(_SESSIONS):
        return []
    audio = f"all {added(_SESSIONS):.0f} sessions with a server, {added(_WORDS):.0f} final words"
    return [Figure(_SECTION, _CHANGES, added(_CHANGES), "", audio, at_most(0))]
