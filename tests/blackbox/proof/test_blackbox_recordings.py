"""What services hear of the recording that somebody gives the suite."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
import speech

MS = speech.RATE_HZ // 1000 * 2
BREATH, WORDS = b"\x0a\0" * 16, b"\xff\x0f" * 16
"""A millisecond of each."""


@pytest.mark.parametrize(
    ("lead", "left_out_ms"), [(b"", 0), (BREATH * 100, 0), (BREATH * 3000, 2800), (bytes(3000 * MS), 2800)]
)
def test_a_recording_begins_where_somebody_speaks(tmp_path: Path, lead: bytes, left_out_ms: int) -> None:
    pcm = lead + WORDS * 2000 + BREATH * 500 + WORDS * 300
    assert speech.load(saved(tmp_path, pcm)) == pcm[left_out_ms * MS :]


@pytest.mark.parametrize("pcm", [b"", bytes(1000 * MS)], ids=["nothing", "silence"])
def test_a_recording_of_nothing_stays_as_it_is(tmp_path: Path, pcm: bytes) -> None:
    assert speech.load(saved(tmp_path, pcm)) == pcm


def saved(folder: Path, pcm: bytes) -> Path:
    path = folder / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, speech.RATE_HZ, 0, "NONE", ""))
        file.writeframes(pcm)
    return path
