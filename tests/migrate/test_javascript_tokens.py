"""JavaScript in tokens: what is code, what is text, what is a comment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.migrate.discovery import all_rules
from tympan.migrate.matching.javascript import JavaScriptDocument
from tympan.migrate.rule import Target
from tympan.migrate.runner import check

OLD = "wss://api.assemblyai.com/v2/realtime/ws"


def names(code: str) -> list[str]:
    return [token.text for token, _ in JavaScriptDocument(code).names()]


def texts(code: str) -> list[str]:
    return [token.text for token in JavaScriptDocument(code).texts()]


def codes(code: str) -> list[str]:
    return [found.code for found in check(JavaScriptDocument(code), all_rules(), Target())]


@pytest.mark.parametrize("code", [f"// {OLD}", f"/* {OLD} */", f"a() // '{OLD}'", f"/* it's\n'{OLD}' */ b()"])
def test_an_address_in_a_comment_is_no_finding(code: str) -> None:
    assert codes(code) == []


@pytest.mark.parametrize(
    "code",
    [
        f"'{OLD}'",
        f'"{OLD}?a"',
        f"`{OLD}?a=${{b}}`",
        f"x = 'it\\'s' + '{OLD}'",
        f"/* a */ '{OLD}' // b",
        f"a = b / c; d = '{OLD}' / 2",
        f"if (/['\"`]/.test(x)) y = '{OLD}'",
        f"`${{a ? `${{b}}` : `c`}} ${{ {{d: '{OLD}'}}.d }}`",
        f"<p>Don't</p>\n'{OLD}'",
    ],
)
def test_an_address_in_a_text_is_found(code: str) -> None:
    assert codes(code) == ["TM060"]


def test_a_comment_sign_in_a_text_begins_no_comment() -> None:
    assert names("a = 'http://x'; b = `//${c}//`; d") == ["a", "b", "c", "d"]


def test_the_text_of_a_template_comes_in_pieces() -> None:
    assert texts("`a${b}c${`d`}e`") == ["a", "c", "d", "e"]


def test_a_brace_in_an_expression_does_not_end_it() -> None:
    assert texts("`a${ {b: {c}} }d`") == ["a", "d"]


def test_a_slash_divides_behind_a_value_and_begins_an_expression_elsewhere() -> None:
    assert names("a / b / c") == ["a", "b", "c"]
    assert names("return /b'/g.test(c)") == ["return", "test", "c"]


def test_a_class_of_another_package_is_not_the_sdks() -> None:
    assert codes("import { RealtimeTranscriber } from './speech'; new RealtimeTranscriber()") == []
    assert codes("import { RealtimeTranscriber } from 'assemblyai'") == ["TM061"]


def test_names_of_options_are_told_only_beside_the_old_sdk() -> None:
    other = "import { AssemblyAI } from 'assemblyai'\nconst config = { wordBoost: [] }\n"
    assert codes(other) == []
    assert codes(other + "client.realtime.transcriber(config)\n") == ["TM061", "TM061"]


def test_a_comment_hides_the_findings_of_its_line() -> None:
    assert codes(f"connect('{OLD}') // tympan: ignore[TM060]") == []


@given(st.text(alphabet="ab'\"`${}/\\*\n []()=", max_size=40))
def test_any_text_has_tokens_that_lie_in_it_one_after_the_other(code: str) -> None:
    position = 0
    for token in JavaScriptDocument(code).tokens:
        assert position <= token.span.start <= token.span.end <= len(code)
        position = token.span.end
