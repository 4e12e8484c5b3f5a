"""Keys of a script as rows: what each is called, what it may hold, what it means. PURE: standard library only.

The rows are what `format` reads by and what the reference page shows. A key that isn't there is an error; so is a
value of another kind, and the message says where, what was expected and what came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tympan.core.errors import ScriptError

LONGEST_MS = 86_400_000
"""A day."""

_LONGEST_ECHO = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """What a key may hold, in words and as a test."""

    expected: str
    accepts: Callable[[Any], bool]


def _is_whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _is_close_code(value: Any) -> bool:
    return _is_whole(value, 3000, 4999) or (type(value) is int and value in _SENDABLE_CODES)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


_SENDABLE_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
"""Below 3000, what a close frame may hold (RFC 6455, section 7.4, and its registry)."""

TEXT = Kind("a text", _is_text)
ANY_TEXT = Kind("a text, which may be empty", lambda value: isinstance(value, str))
MS = Kind("whole milliseconds", lambda value: _is_whole(value, 0, LONGEST_MS))
SOME_MS = Kind("whole milliseconds, at least 1", lambda value: _is_whole(value, 1, LONGEST_MS))
COUNT = Kind("a whole number, at least 1", lambda value: _is_whole(value, 1, 1_000_000))
SHARE = Kind("a number from 0 to 1", _is_share)
CLOSE_CODE = Kind("a close code: 1000 to 1003, 1007 to 1014 or 3000 to 4999", _is_close_code)
YES = Kind("true", lambda value: value is True)
TABLES = Kind(
    "a list of tables", lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value)
)


def one_of(*names: str) -> Kind:
    """One of these texts."""
    return Kind(" or ".join(f'"{name}"' for name in names), lambda value: value in names)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    name: str
    kind: Kind
    meaning: str
    default: str = ""
    """As the reference shows it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a script something stands, for messages."""

    source: str
    path: str = ""

    def item(self, name: str, index: int) -> Place:
        """The table of that number, from 0, in the list of that name."""
        step = f"{name.removesuffix('s')} {index + 1}"
        return Place(self.source, f"{self.path}, {step}" if self.path else step)

    def error(self, key: str, problem: str) -> ScriptError:
        """What is wrong with a key, or with the place itself where the key is empty."""
        where = ": ".join(filter(None, (self.path, key)))
        return ScriptError(f"{self.source}: {where}: {problem}" if where else f"{self.source}: {problem}")


def read_table(table: Mapping[str, Any], keys: tuple[Key, ...], place: Place) -> dict[str, Any]:
    """The values that are given, each of its kind.

    Raises:
        ScriptError: a key that isn't known, or a value of another kind.
    """
    known = {key.name: key for key in keys}
    for name, value in table.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise place.error(name, f"no such key; {hint}expected: {', '.join(known)}")
        if not known[name].kind.accepts(value):
            raise place.error(name, f"expected {known[name].kind.expected}, got {shown(value)}")
    return dict(table)


def shown(value: Any) -> str:
    """A value as it was written, more or less."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "…"
