"""`tympan listen` on a real terminal: a pseudo one, with the scripted engine."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import MakeAudio

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")

COLOUR = re.compile(rb"\x1b\[[0-9;]*[1-9][0-9;]*m")
CONTROL = b"\x1b"


@dataclass(frozen=True)
class Shown:
    """What a terminal got, and what a pipe got where standard output was one."""

    code: int
    terminal: bytes
    piped: bytes

    @property
    def lines(self) -> list[str]:
        """What was written, without control codes, as a list of lines and of pictures of lines."""
        plain = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", self.terminal).decode()
        return [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def on_terminal(*arguments: object, columns: int = 60, has_pipe: bool = False, **environment: str) -> Shown:
    terminal, side = os.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 20, columns, 0, 0))
    known = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tympan", *map(str, arguments)],
        stdin=side,
        stdout=subprocess.PIPE if has_pipe else side,
        stderr=side,
        env=known | {"TERM": "xterm-256color"} | environment,
    )
    os.close(side)
    shown = bytearray()
    with suppress(OSError):  # Linux ends a terminal that nobody holds any more with an error
        while piece := os.read(terminal, 65_536):
            shown += piece
    os.close(terminal)
    piped, _ = process.communicate(timeout=60)
    return Shown(process.returncode, bytes(shown), piped or b"")


@pytest.fixture
def listen(script: Path, audio_file: MakeAudio) -> list[object]:
    return ["listen", "--engine", "scripted", "--model", script, "--input", audio_file(seconds=1.7)]


def test_words_appear_as_they_are_said_and_the_turn_settles(listen: list[object]) -> None:
    shown = on_terminal(*listen)

    assert shown.code == 0
    pictures = [line for line in shown.lines if not re.match(r"\d\d:\d\d ", line)]
    assert list(dict.fromkeys(pictures)) == ["book", "book a", "book a table", "Book a table."]
    assert any(re.match(r"00:01 [█░]{12} delay \d\.\d s speech\.wav; Ctrl\+C ends", line) for line in shown.lines)
    assert COLOUR.search(shown.terminal)
    assert b"\x1b[?25h" in shown.terminal  # the cursor is back


def test_no_colour_means_none(listen: list[object]) -> None:
    shown = on_terminal(*listen, NO_COLOR="1")

    assert "book a" in shown.lines
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-9]|9[0-9])[0-9;]*m", shown.terminal)


def test_a_dumb_terminal_gets_a_line_a_turn(listen: list[object]) -> None:
    shown = on_terminal(*listen, TERM="dumb")

    assert (shown.lines, CONTROL in shown.terminal) == (["Book a table."], False)


def test_results_in_a_pipe_are_clean_while_the_terminal_lives(listen: list[object]) -> None:
    shown = on_terminal(*listen, "--format", "srt", has_pipe=True)

    assert shown.piped == b"1\n00:00:00,200 --> 00:00:01,200\nBook a table.\n\n"
    assert "book a" in shown.lines
    assert "Book a table." in shown.lines


def test_an_error_is_one_line_on_a_terminal_too(script: Path) -> None:
    shown = on_terminal("listen", "--engine", "scripted", "--model", script, "--input", "nowhere.wav")

    assert (shown.code, shown.lines[-1]) == (3, "tympan: nowhere.wav: no such file or directory")
