"""A script that is written line by line by a test. Holds no rules: what it collects is read as a file would be."""

from __future__ import annotations

import json
from typing import Any

from tympan.script.format import parse_programme
from tympan.script.programme import Programme

SOURCE = "script of the test"


class Draft:
    """Sessions being written; the last one takes what is added. A line that can't be used is taken back.

    Raises:
        ScriptError: such a line.
    """

    def __init__(self) -> None:
        self._sessions: list[dict[str, Any]] = [{}]
        self.programme = Programme()

    def add(self, table: str, line: dict[str, Any]) -> None:
        """A turn, a fault, …: a line of the table of that name."""
        lines = self._sessions[-1].setdefault(table, [])
        lines.append(line)
        try:
            self._read()
        except Exception:
            lines.pop()
            raise

    def set(self, key: str, value: Any) -> None:
        """A key of the session itself."""
        before = dict(self._sessions[-1])
        self._sessions[-1][key] = value
        try:
            self._read()
        except Exception:
            self._sessions[-1] = before
            raise

    def begin_session(self) -> None:
        """What follows is for the session after this one."""
        self._sessions.append({})
        self._read()

    def _read(self) -> None:
        self.programme = parse_programme(json.dumps({"sessions": self._sessions}, default=str), SOURCE)
