"""Changed final words, over every session that the run held."""

from __future__ import annotations

from bench.context import Context, SectionSkipped
from bench.report import Figure, at_most


def run(context: Context) -> list[Figure]:
    if context.sessions == 0:
        raise SectionSkipped("no other section held a session")
    still = context.stillness
    audio = f"all {context.sessions} sessions of this run, {still.final_words} final words"
    return [Figure("immutability", "changed final words", still.final_changes, "", audio, at_most(0))]
