"""The demonstration: its captions, and its end."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec

import psutil
import pytest

from tympan.cli.demonstration import Captions
from tympan.wire.v3.messages import Turn, Word

LONG = [f"word{index}" for index in range(60)]


def partial(words: list[str]) -> Turn:
    return Turn(
        turn_order=0,
        turn_is_formatted=False,
        end_of_turn=False,
        transcript="",
        end_of_turn_confidence=0.0,
        words=tuple(
            Word(text=text, start=index, end=index, confidence=1.0, word_is_final=False)
            for index, text in enumerate(words)
        ),
        utterance="",
    )


@pytest.mark.parametrize("columns", [20, 40, 80, 300])
def test_captions_never_fill_the_last_column_of_a_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    Captions(is_terminal=True).show(partial(LONG))
    shown = capsys.readouterr().err.removeprefix("\r\033[K")
    assert len(shown) < columns
    assert shown.endswith("word59")


@pytest.mark.skipif(find_spec("moonshine_voice") is None, reason="the recording isn't installed")
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("start", ["", "trap '' INT; "], ids=["in the foreground", "where Ctrl+C is ignored"])
def test_a_demonstration_that_is_terminated_takes_its_server_with_it(start: str) -> None:
    command = ["sh", "-c", start + f"exec {shlex.quote(sys.executable)} -m tympan demo"]
    with psutil.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as demonstration:
        try:
            assert demonstration.stderr.readline().startswith(b"Session ")
            (server,) = demonstration.children()
            demonstration.terminate()
            demonstration.communicate(timeout=60)
        finally:
            with suppress(psutil.NoSuchProcess):
                demonstration.kill()
    assert demonstration.returncode == 130
    assert not server.is_running()


def test_ctrl_c_while_python_imports_is_no_error() -> None:
    interrupted = "import sys; sys.modules['tympan.cli.main'] = type(sys)('x')\n"
    interrupted += "def interrupt(name): raise KeyboardInterrupt\n"
    interrupted += "sys.modules['tympan.cli.main'].__getattr__ = interrupt\n"
    interrupted += "from tympan.__main__ import run; sys.exit(run())"
    ended = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, b"")
