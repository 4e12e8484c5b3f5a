"""Where the values of a JSON text stand. PURE.

The standard library's decoder says where a value ends; that is enough to go from one to the next, and to change one
without touching a character of the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tympan.migrate.document import Span, Unreadable

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _end_of_value(text: str, position: int) -> int:
    return _DECODER.raw_decode(text, position)[1]


def members(text: str, position: int) -> Iterator[tuple[str, Span]]:
    """Keys of the object that begins at `position`, and where their values stand."""
    position = _skip(text, position + 1)
    while text[position] != "}":
        key, position = _DECODER.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)
        end = _end_of_value(text, position)
        yield key, Span(position, end)
        position = _next(text, end)


def elements(text: str, position: int) -> Iterator[Span]:
    """Where the elements of the list that begins at `position` stand."""
    position = _skip(text, position + 1)
    while text[position] != "]":
        end = _end_of_value(text, position)
        yield Span(position, end)
        position = _next(text, end)


def _next(text: str, end: int) -> int:
    """Where the next element or the closing bracket stands."""
    position = _skip(text, end)
    return _skip(text, position + 1) if text[position] == "," else position


def root_of(text: str) -> int:
    """Where the only value of the text begins.

    Raises:
        Unreadable: the text isn't JSON.
    """
    start = _skip(text, 0)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg}", error.pos) from error
    except ValueError as error:  # Python converts no number of thousands of digits
        raise Unreadable(f"a number that can't be read: {error}") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    return start
