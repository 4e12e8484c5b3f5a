"""Live captions: what is on a terminal, line by line."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from said import turn

from tympan.cli.screen import LiveScreen, PlainScreen, open_screen
from tympan.core.units import StreamMs


def console(width: int = 40, height: int = 20) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=None, width=width, height=height)


def picture(terminal: Console) -> list[str]:
    """The lines of the latest picture: what was written since the last return to the first column."""
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue().rpartition("\x1b[2K")[2].split("\n")


LONG = " ".join(f"word{index}" for index in range(60))


def test_the_open_turn_is_wrapped_and_the_gauges_are_below() -> None:
    terminal = console()
    with LiveScreen(terminal, shows_turns=False) as screen:
        screen.state("Microphone")
        screen.heard(0.0, StreamMs(65_000), 640)
        screen.caption(turn(0, "the quick brown fox jumps over the lazy dog"))
        lines = [line.rstrip() for line in picture(terminal)]
    assert lines == ["the quick brown fox jumps over the lazy", "dog", "01:05 ████████████ delay 0.6 s Micr"]


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (80, 24), (200, 60)])
def test_a_long_turn_shows_its_end_and_never_fills_the_terminal(width: int, height: int) -> None:
    terminal = console(width, height)
    with LiveScreen(terminal, shows_turns=False) as screen:
        screen.state("Microphone")
        screen.caption(turn(0, LONG))
        lines = picture(terminal)
    assert len(lines) < height
    assert max(map(len, lines)) < width
    assert "word59" in lines[-2]


def test_the_picture_is_gone_afterwards_and_settled_turns_stay() -> None:
    terminal = console()
    with LiveScreen(terminal, shows_turns=True) as screen:
        screen.caption(turn(0, "open"))
        screen.turn("Settled [bold]text[/bold].")
        screen.note("something happened")
    assert isinstance(terminal.file, io.StringIO)
    written = terminal.file.getvalue()
    assert "Settled [bold]text[/bold].\n" in written
    assert "tympan: something happened\n" in written
    assert picture(terminal) == [""]


def test_turns_that_are_written_elsewhere_on_the_terminal_are_not_shown_twice() -> None:
    terminal = console()
    with LiveScreen(terminal, shows_turns=False) as screen:
        screen.turn("Settled.")
    assert isinstance(terminal.file, io.StringIO)
    assert "Settled" not in terminal.file.getvalue()


def test_without_a_terminal_there_are_notes_and_no_control_codes(capsys: pytest.CaptureFixture[str]) -> None:
    screen = open_screen(results_are_elsewhere=False)
    assert isinstance(screen, PlainScreen)
    with screen:
        screen.state("listening")
        screen.heard(0.0, StreamMs(0), None)
        screen.caption(turn(0, "hello"))
        screen.turn("Hello.")
        screen.note("something happened")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "tympan: something happened\n")
