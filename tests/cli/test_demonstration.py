"""The live captions of the demonstration."""

from __future__ import annotations

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
