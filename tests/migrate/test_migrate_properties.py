"""Whatever the text: findings or a report, never an exception; fixing settles, and what comes out can be parsed."""

from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from migration import fixed, found

from tympan.migrate.discovery import all_rules
from tympan.migrate.document import Edit, Span, Unreadable, apply_edits

PYTHON_CASES = [
    case.source for rule in all_rules() if rule.file_name.endswith(".py") for case in (*rule.invalid, *rule.valid)
]
LINES = sorted({line for source in PYTHON_CASES for line in source.splitlines() if line.strip()})
WORDS = (
    "message_type",
    "'SessionBegins'",
    "{",
    "}",
    "f'",
    "'",
    '"',
    "(",
    ")",
    ":",
    "\n",
    "    ",
    "lambda",
    "match",
    "#",
)

slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def assert_settles(source: str) -> None:
    try:
        once = fixed(source, with_unsafe=True).document.text
    except Unreadable:
        return
    ast.parse(once)
    assert [finding for finding in found(once) if finding.fix] == []


def stopped_at(text: str) -> int:
    try:
        found(text)
    except Unreadable as error:
        return error.offset
    return len(text)


@slowly
@given(st.text())
@example("\ufeffx = 1\n")
@example("x = '\ud800'")
@example("\0")
@example("if x:\n\ty\n        z\n")
@example("a\rb\r\nc\n")
@example("\f\nx = '/v2/realtime/ws'")
def test_any_text_gives_findings_or_is_unreadable(text: str) -> None:
    assert 0 <= stopped_at(text) <= len(text)


@slowly
@given(st.lists(st.sampled_from((*LINES, *WORDS)), max_size=12).map("".join))
def test_any_mix_of_what_rules_look_for_is_fixed_once_or_unreadable(text: str) -> None:
    assert_settles(text)


@slowly
@given(st.lists(st.sampled_from(PYTHON_CASES), min_size=1, max_size=3))
def test_programs_put_together_are_fixed_once_and_parse(sources: list[str]) -> None:
    assert_settles("".join(sources))


@slowly
@given(st.lists(st.sampled_from(LINES), max_size=8))
def test_lines_out_of_programs_are_fixed_once_and_parse(lines: list[str]) -> None:
    source = "".join(f"{line.strip()}\n" for line in lines)
    assert_settles(source)


@given(st.text(alphabet="ab\n"), st.data())
def test_text_outside_of_edits_stays(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert apply_edits(text, [Edit(Span(start, end), "X")]) == text[:start] + "X" + text[end:]


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_lines_end_as_they_did(newline: str) -> None:
    source = next(rule for rule in all_rules() if rule.code == "TM004").invalid[0].source
    after = fixed(source.replace("\n", newline)).document.text
    assert after == fixed(source).document.text.replace("\n", newline)
