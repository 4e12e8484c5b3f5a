"""The old transcriber's arguments as the new client's parameters, laid out as the user had them. PURE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from tympan.migrate.document import Edit, Span, apply_edits
from tympan.migrate.matching.sdk import PARAMETERS, RENAMED, references
from tympan.migrate.matching.sdk_imports import is_type_test, local
from tympan.migrate.matching.source import PythonDocument

_WIDEST = 100
"""A longer call is written one argument a line."""

SILENCE_ALONE = "end_of_turn_confidence_threshold=1"
"""Turns end by silence alone, as utterances of v2 did."""

_OPPOSITE = {"True": "False", "False": "True"}
_MOST_IN_A_LINE = 3
_COMMENT = re.compile(r"[ \t]*,?([ \t]*#[^\r\n]*)")


@dataclass(frozen=True, slots=True)
class Argument:
    """`name=value`, and the comment behind it."""

    text: str
    comment: str = ""


def moved_text(code: PythonDocument, node: cst.BaseExpression) -> str:
    """The text of an expression that is moved elsewhere, with the new names of the SDK in it."""
    span = code.outer_span(node)
    edits = [
        Edit(Span(at.start - span.start, at.end - span.start), local(code, RENAMED[old]))
        for reference, old in references(code)
        if not is_type_test(code, reference) and span.start <= (at := code.span(reference)).start < span.end
    ]
    return apply_edits(code.text[span.start : span.end], edits)


def comment_behind(code: PythonDocument, arg: cst.Arg) -> str:
    """The comment that ends the line of an argument."""
    found = _COMMENT.match(code.text, code.outer_span(arg.value).end)
    return found[1].rstrip() if found else ""


def streaming_parameters(code: PythonDocument, call: cst.Call) -> list[Argument]:
    """The parameters of the session; formatted finals are asked for, as v2 sent them."""
    return [*_mapped(code, call), Argument("format_turns=True")]


def _mapped(code: PythonDocument, call: cst.Call) -> Iterator[Argument]:
    for arg in call.args:
        name = PARAMETERS.get(arg.keyword.value) if arg.keyword is not None else None
        text = moved_text(code, arg.value)
        if name is None or text == "None":
            continue
        if name == "include_partial_turns":
            text = _OPPOSITE.get(text) or (f"not {text}" if isinstance(arg.value, cst.Name) else f"not ({text})")
        yield Argument(f"{name}={text}", comment_behind(code, arg))
        if name == "max_turn_silence":
            yield Argument(SILENCE_ALONE)


def laid_out(before: str, arguments: Sequence[Argument], *, indent: str, was_spread: bool) -> list[str]:
    """`before(arguments)` in lines: one, unless it would be too long or has comments, or had many and was spread."""
    line = f"{before}({', '.join(argument.text for argument in arguments)})"
    is_long = len(line) > _WIDEST or (was_spread and len(arguments) > _MOST_IN_A_LINE)
    if not is_long and not any(argument.comment for argument in arguments):
        return [line]
    return [f"{before}(", *(f"{indent}{argument.text},{argument.comment}" for argument in arguments), ")"]


def is_spread(code: PythonDocument, call: cst.Call) -> bool:
    """Whether a call stands on several lines."""
    span = code.span(call)
    return code.place(span.start).line != code.place(span.end).line
