"""Every rule's own cases: what it must find, what it must not, and what becomes of what it finds."""

from __future__ import annotations

import re

import pytest

from tympan.migrate.discovery import AnyRule, all_rules
from tympan.migrate.document import Document
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.rule import Invalid, Target, Valid
from tympan.migrate.runner import check, fix

RULES = all_rules()
VALID = [pytest.param(rule, case, id=f"{rule.code}-{i}") for rule in RULES for i, case in enumerate(rule.valid)]
INVALID = [pytest.param(rule, case, id=f"{rule.code}-{i}") for rule in RULES for i, case in enumerate(rule.invalid)]


def opened(rule: AnyRule, source: str) -> Document:
    kind = format_of(rule.file_name)
    assert kind is not None
    (document,) = kind.open(source).documents
    return document


@pytest.mark.parametrize(("rule", "case"), VALID)
def test_a_valid_case_has_no_finding(rule: AnyRule, case: Valid) -> None:
    assert check(opened(rule, case.source), [rule], Target()) == []


@pytest.mark.parametrize(("rule", "case"), INVALID)
def test_an_invalid_case_is_found_and_becomes_what_the_rule_says(rule: AnyRule, case: Invalid) -> None:
    document = opened(rule, case.source)
    found = check(document, [rule], Target())
    assert {finding.code for finding in found} == {rule.code}
    if case.is_unsafe:
        assert fix(document, [rule], Target()).document.text == case.source
    outcome = fix(document, [rule], Target(), with_unsafe=case.is_unsafe)
    assert outcome.document.text == (case.source if case.fixed is None else case.fixed)
    if case.fixed is not None:
        assert outcome.fixed


@pytest.mark.parametrize(("rule", "case"), INVALID)
def test_fixing_again_changes_nothing(rule: AnyRule, case: Invalid) -> None:
    once = fix(opened(rule, case.source), RULES, Target(), with_unsafe=True).document.text
    assert [finding for finding in check(opened(rule, once), RULES, Target()) if finding.fix] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_all_that_its_page_needs(rule: AnyRule) -> None:
    assert re.fullmatch(r"TM\d{3}", rule.code)
    assert f".m{rule.code[2:]}_" in type(rule).__module__
    assert rule.title
    assert rule.what.endswith(".")
    assert rule.why.endswith(".")
    assert rule.valid
    assert rule.invalid


def test_no_two_rules_share_a_code() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
