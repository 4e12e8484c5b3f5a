"""What a file said, as text, JSON or subtitles. Pure: no I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from tympan.cli.legible import legible
from tympan.core.words import Word


class TranscriptFormat(StrEnum):
    """How transcripts are written."""

    TEXT = "text"
    JSON = "json"
    SRT = "srt"
    VTT = "vtt"

    @property
    def is_subtitles(self) -> bool:
        """One file is the subtitles of one recording."""
        return self in (TranscriptFormat.SRT, TranscriptFormat.VTT)


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """A turn that has ended; formatted words."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return legible(" ".join(word.text for word in self.words))


@dataclass(frozen=True, slots=True)
class Transcript:
    """One file's turns, in order."""

    file: str
    turns: tuple[SpokenTurn, ...]
    audio_duration_ms: int


def header(file: str) -> str:
    """The line before a file's text where several files are written one after the other."""
    return f"==> {file} <=="


def render(transcripts: Sequence[Transcript], kind: TranscriptFormat, *, is_list: bool) -> str:
    """The whole output. `is_list` says that several files were asked for, however many could be read; subtitles
    are of one file."""
    match kind:
        case TranscriptFormat.TEXT:
            return "".join(_as_text(transcript, has_header=is_list) for transcript in transcripts)
        case TranscriptFormat.JSON:
            objects = [_as_object(transcript) for transcript in transcripts]
            return json.dumps(objects if is_list else objects[0], ensure_ascii=False, indent=2) + "\n"
        case TranscriptFormat.SRT | TranscriptFormat.VTT:
            from tympan.cli.subtitles import subtitles  # noqa: PLC0415  (its library takes a while)

            return "".join(subtitles(kind.value, [turn.words for turn in one.turns]) for one in transcripts)
        case _ as unreachable:
            assert_never(unreachable)


def _as_text(transcript: Transcript, *, has_header: bool) -> str:
    lines = [header(transcript.file)] if has_header else []
    return "".join(f"{line}\n" for line in [*lines, *(turn.text for turn in transcript.turns)])


def _as_object(transcript: Transcript) -> dict[str, object]:
    return {
        "file": transcript.file,
        "audio_duration_ms": transcript.audio_duration_ms,
        "text": " ".join(turn.text for turn in transcript.turns),
        "turns": [turn_object(turn) for turn in transcript.turns],
    }


def turn_object(turn: SpokenTurn) -> dict[str, object]:
    """A turn in JSON; times are milliseconds of audio."""
    return {
        "text": turn.text,
        "start": turn.words[0].start_ms,
        "end": turn.words[-1].end_ms,
        "words": [
            {
                "text": word.text,
                "start": word.start_ms,
                "end": word.end_ms,
                "confidence": round(word.confidence, 4),
            }
            for word in turn.words
        ],
    }
