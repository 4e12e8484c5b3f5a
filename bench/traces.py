"""Traces: what the engine decoded from recorded clips, update by update, for replay without the model.

Decodes don't depend on what was committed, so one recording serves every commit policy. A trace file is
JSON lines, one clip a line: the clip's reference, then its updates in order of time. Words are arrays in
the order of `DecodedWord`'s fields. Times are ms since the first sample of the clip.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from tympan.engines.moonshine.hypothesis import Decode, DecodedWord


@dataclass(frozen=True, slots=True)
class Update:
    """A decode and when it was made: on the engine's step grid, or at a moment of silence only.

    `silence_ms` is the trailing silence by the voice-activity track, 0 in speech.
    """

    is_step: bool
    silence_ms: int
    decode: Decode


@dataclass(frozen=True, slots=True)
class ReferenceWord:
    """A word of the transcript, timed by forced alignment."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One clip. `words` is empty where the alignment can't be trusted. The last update has heard it all."""

    clip_id: str
    source: str
    style: str
    text: str
    words: tuple[ReferenceWord, ...]
    updates: tuple[Update, ...]


def write_traces(path: Path, traces: Iterable[Trace]) -> None:
    """Write a trace file, one clip at a time."""
    with path.open("w", encoding="utf-8") as file:
        for trace in traces:
            file.write(json.dumps(_as_json(trace), separators=(",", ":")) + "\n")


def read_traces(path: Path) -> Iterator[Trace]:
    """Read a trace file, one clip at a time."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield _from_json(json.loads(line))


def _as_json(trace: Trace) -> dict[str, Any]:
    return {
        "clip_id": trace.clip_id,
        "source": trace.source,
        "style": trace.style,
        "text": trace.text,
        "words": [astuple(word) for word in trace.words],
        "updates": [
            {
                "is_step": update.is_step,
                "silence_ms": update.silence_ms,
                "window_start_ms": update.decode.window_start_ms,
                "judged_until_ms": update.decode.judged_until_ms,
                "has_ended": update.decode.has_ended,
                "was_cut": update.decode.was_cut,
                "words": [astuple(word) for word in update.decode.words],
            }
            for update in trace.updates
        ],
    }


def _from_json(row: dict[str, Any]) -> Trace:
    return Trace(
        clip_id=row["clip_id"],
        source=row["source"],
        style=row["style"],
        text=row["text"],
        words=tuple(ReferenceWord(*word) for word in row["words"]),
        updates=tuple(_update(update) for update in row["updates"]),
    )


def _update(row: dict[str, Any]) -> Update:
    words = tuple(DecodedWord(*(*fields[:-1], tuple(fields[-1]))) for fields in row["words"])
    decode = Decode(
        window_start_ms=row["window_start_ms"],
        judged_until_ms=row["judged_until_ms"],
        words=words,
        has_ended=row["has_ended"],
        was_cut=row["was_cut"],
    )
    return Update(row["is_step"], row["silence_ms"], decode)
