"""JavaScript and TypeScript as a row of tokens: names, texts, signs; comments left out. PURE.

No grammar: enough to tell a name from a word in a text, and both from a comment. Templates give their texts and the
names in their `${…}`; regular expressions are told from divisions by what stands before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from tympan.migrate.document import Document, Span

_TOKEN = re.compile(
    r"(?P<comment>//[^\r\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<string>\"(?:\\.|[^\"\\\r\n])*\"?|'(?:\\.|[^'\\\r\n])*'?)"
    r"|(?P<name>[\w$]+)|(?P<space>\s+)|(?P<sign>.)",
    re.DOTALL,
)
_REGULAR_EXPRESSION = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\r\n])*\]|[^/\\\[\r\n])+/\w*")
_TEMPLATE_TEXT = re.compile(r"(?:\\.|\$(?!\{)|[^`$\\])*", re.DOTALL)
_BEFORE_EXPRESSION = frozenset(
    {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await"}
)


class Kind(Enum):
    """What a token is."""

    NAME = auto()
    TEXT = auto()
    SIGN = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token. `text` is without quotes; `span` is that of the text."""

    kind: Kind
    text: str
    span: Span


class JavaScriptDocument(Document):
    """A program in JavaScript or TypeScript."""

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens in the order of the text."""
        return tuple(_tokens(self.text))

    def names(self) -> Iterator[tuple[Token, str]]:
        """Names, each with the sign or name before it."""
        before = ""
        for token in self.tokens:
            if token.kind is Kind.NAME:
                yield token, before
            before = token.text if token.kind is not Kind.TEXT else ""

    def texts(self) -> Iterator[Token]:
        """The texts of strings and templates."""
        return (token for token in self.tokens if token.kind is Kind.TEXT)


def _tokens(text: str) -> Iterator[Token]:
    position, depth = 0, 0
    open_templates: list[int] = []
    last: Token | None = None
    while position < len(text):
        is_template = text[position] == "`"
        if is_template or (text[position] == "}" and open_templates and depth == open_templates[-1]):
            # A template's text begins, or goes on behind an expression.
            found = _TEMPLATE_TEXT.match(text, position + 1)
            end = found.end() if found else position + 1
            if not is_template:
                open_templates.pop()
            last = Token(Kind.TEXT, text[position + 1 : end], Span(position + 1, end))
            yield last
            if text.startswith("${", end):
                open_templates.append(depth)
                last = None
            position = end + (2 if text.startswith("${", end) else 1)
            continue
        token, position = _token(text, position, last)
        if token is not None:
            depth += (token.kind is Kind.SIGN) * ((token.text == "{") - (token.text == "}"))
            last = token
            yield token


def _token(text: str, position: int, last: Token | None) -> tuple[Token | None, int]:
    """The token that begins here, if it is one, and where it ends."""
    if text[position] == "/" and not _is_value(last):
        expression = _REGULAR_EXPRESSION.match(text, position)
        if expression:
            return Token(Kind.SIGN, "/", Span(*expression.span())), expression.end()
    found = _TOKEN.match(text, position)
    assert found is not None  # the last alternative takes any character
    start, end = found.span()
    if found["string"]:
        inner = Span(start + 1, end - (end - start > 1 and text[end - 1] == text[start]))
        return Token(Kind.TEXT, text[inner.start : inner.end], inner), end
    if found["name"]:
        return Token(Kind.NAME, found["name"], Span(start, end)), end
    if found["sign"]:
        return Token(Kind.SIGN, found["sign"], Span(start, end)), end
    return None, end


def _is_value(token: Token | None) -> bool:
    """Whether a slash behind this token divides."""
    if token is None:
        return False
    if token.kind is Kind.NAME:
        return token.text not in _BEFORE_EXPRESSION
    return token.kind is Kind.TEXT or token.text in (")", "]", "}")
