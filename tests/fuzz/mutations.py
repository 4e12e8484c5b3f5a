"""Honest inputs → hostile ones: structure-aware where a line is JSON, by bytes elsewhere. Hypothesis strategies."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

RAW = (
    "9" * 5000,
    "-9e99999",
    "1e999",
    "NaN",
    "-Infinity",
    "-0",
    "[" * 3000,
    '{"a":' * 3000,
    "tru",
    '"\\ud800"',
    '"\\u0000"',
)
"""What no JSON library writes, and some read."""

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**53 - 1,
    2**53,
    -(2**63),
    10**400,
    0.5,
    -0.0,
    1e308,
    "",
    " ",
    "\0",
    "\ud83d",
    "\x1b[2J\r\n\u2028",
    "a" * 3000,
    "1e5",
    "[]",
    [],
    [[]],
    [None],
    ["a"] * 200,
    {},
    {"type": "Turn"},
)
PIECES = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\n",
    b"\r",
    b"%ff%00%",
    b"&" * 50,
    b"=",
    b"[" * 2000,
    b"9" * 4400,
    b"\\ud800",
    b"\\xZZ",
    b"\\N{",
    b"\xc2\xb2",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x7f\xff\xff\xff",
    b"'''",
    b'"',
    b"\\",
    b"# coding: utf-16\n",
    b"inf",
    b"nan",
    b"1979-05-27T07:32:00Z",
)
_MARK = "@@raw"


@st.composite
def mutations(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A seed, or several lines of seeds, with up to three changes."""
    lines = draw(st.lists(st.sampled_from(seeds), min_size=1, max_size=4))
    data = b"\n".join(lines) if all(b"\n" not in line for line in lines) else lines[0]
    for _ in range(draw(st.integers(0, 3))):
        data = draw(st.one_of(_changed_bytes(data), _changed_json(data)))
    return data


garbage = st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode(errors="replace")))


@st.composite
def _changed_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(0, 40)))
    middle = draw(
        st.one_of(
            st.sampled_from(PIECES),
            st.binary(max_size=8),
            st.just(data[start:end] * 3),
            st.just(data[start:end][::-1]),
        )
    )
    return data[:start] + middle + data[end:]


@st.composite
def _changed_json(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    number = draw(st.integers(0, len(lines) - 1))
    try:
        document = json.loads(lines[number])
    except (ValueError, RecursionError):
        return draw(_changed_bytes(data))
    raw = draw(st.sampled_from(RAW))
    value = draw(st.one_of(st.sampled_from(VALUES), st.just(_MARK)))
    changed = _placed(document, value, draw)
    text = json.dumps(changed).replace(f'"{_MARK}"', raw)
    if draw(st.booleans()) and text.startswith("{") and isinstance(document, dict) and document:
        key = draw(st.sampled_from(sorted(document)))
        text = f"{{{json.dumps(key)}: {raw}, {text[1:]}"  # the same key twice
    lines[number] = text.encode(errors="replace")
    return b"\n".join(lines)


def _placed(document: Any, value: Any, draw: st.DrawFn) -> Any:
    """The document with a value somewhere in it, in place of another or beside it."""
    if isinstance(document, dict) and document and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(document)))
        match draw(st.integers(0, 3)):
            case 0:
                return {name: kept for name, kept in document.items() if name != key}
            case 1:
                return document | {str(value)[:50]: document[key]}
            case _:
                return document | {key: _placed(document[key], value, draw)}
    if isinstance(document, list) and document and draw(st.integers(0, 9)):
        index = draw(st.integers(0, len(document) - 1))
        return [*document[:index], _placed(document[index], value, draw), *document[index:]]
    return value
