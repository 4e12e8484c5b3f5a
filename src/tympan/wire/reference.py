"""Parts of a generated protocol reference: Markdown from the tables that the code runs on. PURE."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import fields
from types import UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

NOTICE = "<!-- Written by scripts/generate_docs.py from the code; edits here are lost. -->\n\n"


TOO_LONG_NOTE = (
    "A WebSocket message longer than the server's `max_message_bytes` closes the connection with code 1009; no more is "
    "told."
)
"""That is the WebSocket layer's doing: no session is asked."""


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table and an empty line."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + "\n"


def message_section(name: str, cls: type[Any]) -> str:
    """What one message or part of one is: its docstring and its fields."""
    hints = get_type_hints(cls, include_extras=True)
    rows = [
        (f"`{field.name}`", _type_text(hints[field.name]), _need_text(field), _note(hints[field.name]))
        for field in fields(cls)
    ]
    fields_table = table(("Field", "Type", "Always there", "Meaning"), rows) if rows else ""
    return f"### {name}\n\n{inspect.getdoc(cls)}\n\n{fields_table}"


def _need_text(field: Any) -> str:
    return "" if field.default is None else "yes"


def _note(hint: Any) -> str:
    return str(get_args(hint)[1]) if get_origin(hint) is Annotated else ""


def _type_text(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        return _type_text(get_args(hint)[0])
    if get_origin(hint) is UnionType:
        return _type_text(get_args(hint)[0])
    if get_origin(hint) is tuple:
        return f"list of {_type_text(get_args(hint)[0])}"
    return "JSON" if hint is Any else str(hint.__name__)
