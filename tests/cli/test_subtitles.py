"""Subtitle files: numbered from 1, valid after each turn, and everything said is in them."""

from __future__ import annotations

import pysubs2
import pytest
from said import words

from tympan.cli.subtitles import SubtitleWriter, subtitles

TURNS = [words("Book a table for two, please."), words("Thanks.", 8_000)]


def test_srt_is_numbered_from_one() -> None:
    assert subtitles("srt", TURNS) == (
        "1\n00:00:00,000 --> 00:00:02,900\nBook a table for two, please.\n\n"
        "2\n00:00:08,000 --> 00:00:08,900\nThanks.\n\n"
    )


def test_vtt_has_its_header() -> None:
    assert subtitles("vtt", TURNS) == (
        "WEBVTT\n\n"
        "1\n00:00:00.000 --> 00:00:02.900\nBook a table for two, please.\n\n"
        "2\n00:00:08.000 --> 00:00:08.900\nThanks.\n\n"
    )


@pytest.mark.parametrize(("kind", "empty"), [("srt", ""), ("vtt", "WEBVTT\n\n")])
def test_nothing_said_is_still_a_file(kind: str, empty: str) -> None:
    assert subtitles(kind, []) == subtitles(kind, [()]) == empty


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_a_file_written_turn_by_turn_is_valid_after_each(kind: str) -> None:
    writer = SubtitleWriter(kind)
    written = writer.header()
    for count, turn in enumerate(TURNS, start=1):
        written += writer.receive_turn(turn)
        parsed = pysubs2.SSAFile.from_string(written, kind)
        assert [event.plaintext for event in parsed] == ["Book a table for two, please.", "Thanks."][:count]


def test_words_that_look_like_markup_are_kept() -> None:
    said = [words("a < b & c > {d} \\N e")]
    assert "a < b & c > {d} ＼N e\n" in subtitles("srt", said)
    assert "a &lt; b &amp; c &gt; {d} ＼N e\n" in subtitles("vtt", said)
