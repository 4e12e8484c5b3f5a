"""Subtitle cues → SRT and WebVTT, written by pysubs2. Pure: no I/O. Imported on use: pysubs2 takes a while.

Rules: cues can be written one by one, so that a file is valid after each of them; numbers go on from 1.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from pysubs2 import SSAEvent, SSAFile

from tympan.cli.legible import legible
from tympan.core.words import Word
from tympan.formatting.cues import Cue, CueBuilder


class SubtitleWriter:
    """The text of a subtitle file, in pieces; `kind` is pysubs2's name of the format, srt or vtt."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._builder = CueBuilder()
        self._count = 0

    def header(self) -> str:
        """What the file begins with, before any cue."""
        return "WEBVTT\n\n" if self._kind == "vtt" else ""

    def receive_turn(self, words: Sequence[Word], following: Sequence[Word] = ()) -> str:
        """The text of a finished turn's cues; `following` are the words of the next turn, where they are known."""
        next_start_ms = following[0].start_ms if following else None
        return "".join(map(self._written, self._builder.receive_turn(words, next_start_ms)))

    def _written(self, cue: Cue) -> str:
        self._count += 1
        subtitles = SSAFile()
        subtitles.append(SSAEvent(cue.start_ms, cue.end_ms, text="\\N".join(map(self._escaped, cue.lines))))
        # Braces aren't markup here, so they stay; pysubs2 numbers the only cue with 1.
        written = subtitles.to_string(self._kind, keep_ssa_tags=True, apply_styles=False)
        _, _, cue_text = written.removeprefix(self.header()).partition("\n")
        return f"{self._count}\n{cue_text}"

    def _escaped(self, line: str) -> str:
        line = legible(line).replace("\\", "＼")  # a line break in pysubs2's language
        return html.escape(line, quote=False) if self._kind == "vtt" else line


def subtitles(kind: str, turns: Iterable[Sequence[Word]]) -> str:
    """A whole file."""
    writer = SubtitleWriter(kind)
    every = [words for words in turns if words]
    pieces = [writer.receive_turn(words, following) for words, following in zip(every, [*every[1:], ()], strict=False)]
    return writer.header() + "".join(pieces)
