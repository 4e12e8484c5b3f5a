"""The score table of the documentation says what the tests of the corpus hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from corpus import CORPUS, Score

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "migrate.md"


def table() -> str:
    rows = [f"| {program.style} | {program.score} | {program.to_do or '–'} |" for program in CORPUS]
    return "\n".join(["| Program | Score | Left to do |", "| --- | --- | --- |", *rows])


def test_the_page_has_the_table() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), f"put this into {PAGE}:\n{table()}"


def test_the_page_has_the_sum() -> None:
    counts = Counter(program.score for program in CORPUS)
    total = f"{len(CORPUS)} programs: {', '.join(f'{counts[score]} {score}' for score in Score)}."
    assert total in PAGE.read_text(encoding="utf-8"), total
