"""Python text → libcst's tree, for programs that anybody may have written or generated. PURE.

libcst's parser knows no bound: it overruns the stack of the process where brackets, operators or `elif` are nested
without end, needs time that grows with the square of a chain like `a.b.c…`, and doubles with each bracket of a
pattern after `case`. So what goes beyond these bounds, which no compiler takes either or nobody writes, is unreadable.
"""

from __future__ import annotations

import ast
import re
import warnings

import libcst as cst

from tympan.migrate.document import Unreadable

_MOST_BRACKETS = 200
"""Of CPython's own tokenizer."""

_MOST_PATTERN_BRACKETS = 10
_MOST_TOKENS = 2_000
"""Between two commas or ends of lines: half a second of libcst."""

_MOST_ELIFS = 4_000

_TOKEN = re.compile(
    r"""
      (?P<text>[a-zA-Z]{0,2}(?:
          \"\"\"(?:\\.|[^\\])*?\"\"\" | '''(?:\\.|[^\\])*?'''
          | "(?!"")(?:\\.|[^"\\\r\n])*" | '(?!'')(?:\\.|[^'\\\r\n])*'))
    | (?P<endless>\"\"\"|''')
    | (?P<comment>\#[^\r\n]*|\\\r?\n)
    | (?P<name>\w+)
    | (?P<line>[\r\n]+)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<end>[,;])
    | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_BRACKET = re.compile(r"(?P<open>[(\[{])|[)\]}]")
_SIGNS = re.compile(r"(?:[-+~][ \t]*){500}")


def parsed(text: str) -> cst.Module:
    """The tree of a program.

    Raises:
        Unreadable: it is none, or none that can be looked at.
    """
    _check_nesting(text)
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise Unreadable("not Python that can be parsed", _offset_of(text, error.message)) from error
    except UnicodeError as error:
        raise Unreadable(f"not Python that can be parsed: {error}") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error


def is_text(literal: str) -> bool:
    """Whether Python can read a literal of a text: libcst takes any escape, and any character in bytes."""
    if literal.isascii() and "\\" not in literal:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes that will be errors one day
        try:
            ast.literal_eval(literal)
        except (ValueError, SyntaxError):
            return False
    return True


def _check_nesting(text: str) -> None:
    lengths = [0]  # in tokens, of what has begun: outside of brackets, and in each that is open
    most_brackets, elifs, before = _MOST_BRACKETS, 0, "line"
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        match kind:
            case "comment":
                continue
            case "open":
                lengths.append(0)
            case "close" if len(lengths) > 1:
                lengths.pop()
            case "end":
                lengths[-1] = 0
            case "line" if len(lengths) == 1:
                lengths[-1], most_brackets = 0, _MOST_BRACKETS
            case "name":
                elifs += found[0] == "elif"
                if found[0] == "case" and before == "line":
                    most_brackets = _MOST_PATTERN_BRACKETS
            case "text" if "f" in found[0][:2].lower():
                _check_formatted(found)
        lengths[-1] += kind not in ("line", "end")
        is_too_deep = len(lengths) - 1 > most_brackets or lengths[-1] > _MOST_TOKENS or elifs > _MOST_ELIFS
        if is_too_deep or kind == "endless":
            raise Unreadable("a text that never ends" if kind == "endless" else "nested too deeply", found.start())
        before = kind if kind != "line" or len(lengths) == 1 else before


def _check_formatted(text: re.Match[str]) -> None:
    """What stands in an f-string is parsed as well."""
    depth = 0
    for bracket in _BRACKET.finditer(text[0]):
        depth = depth + 1 if bracket["open"] else max(0, depth - 1)
        if depth > _MOST_BRACKETS:
            raise Unreadable("nested too deeply", text.start())
    if _SIGNS.search(text[0]):
        raise Unreadable("nested too deeply", text.start())


def _offset_of(text: str, complaint: str) -> int:
    """Where the parser's message says that it stopped; its own fields are those of the whole text."""
    found = re.search(r"error at (\d+):(\d+)", complaint)
    if found is None:
        return 0
    lines = text.split("\n")
    line = min(max(int(found[1]), 1), len(lines))
    return sum(len(before) + 1 for before in lines[: line - 1]) + min(int(found[2]), len(lines[line - 1]))
