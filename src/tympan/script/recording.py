"""A recorded session → a script that says the same messages. PURE: standard library, `core` and `wire` only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tympan.wire.v3.messages import SERVER_CODEC, ServerMessage, ServerWarning, SpeechStarted, Turn

RECORDED = (Turn, SpeechStarted, ServerWarning)
"""What is recorded: a double says the rest itself, `Heartbeat` and `Silence` by its own clocks."""


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """A message, and how much audio had been sent when it came."""

    at_ms: int
    message: ServerMessage


def recorded_script(messages: Iterable[RecordedMessage], remarks: Iterable[str]) -> str:
    """TOML; the remarks are comments at its top."""
    head = "".join(f"# {_line(remark)}\n" for remark in remarks)
    return head + "".join(f"\n{_table(recorded)}" for recorded in messages)


def _table(recorded: RecordedMessage) -> str:
    fields = json.loads(SERVER_CODEC.encode(recorded.message))
    lines = [f"{name} = {_value(value)}\n" for name, value in ({"at_ms": recorded.at_ms} | fields).items()]
    return "[[messages]]\n" + "".join(lines)


def _value(value: Any) -> str:
    match value:
        case [{}, *_]:
            return "[\n" + "".join(f"  {_value(item)},\n" for item in value) + "]"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{name} = {_value(item)}" for name, item in value.items()) + "}"
        case str():
            return _text(value)
        case _:
            return json.dumps(value)


def _text(value: str) -> str:
    """TOML's basic strings are JSON's, but for DEL, and without half a surrogate pair."""
    whole = value.encode("utf-8", "replace").decode()  # "?" for a half
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(remark: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in remark)
