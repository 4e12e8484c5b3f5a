"""The scripted engine: reading scripts, and when each word is spoken, shown and final."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conversation import text_of
from tympan.core.errors import ModelError
from tympan.core.words import Report, TurnText
from tympan.engines.base import StreamOptions
from tympan.engines.scripted import Script, ScriptedStream, ScriptedWord, load


def stream_of(*words: ScriptedWord, frame_ms: int = 1) -> ScriptedStream:
    return ScriptedStream(Script(words, frame_ms))


def hear(stream: ScriptedStream, duration_ms: int) -> Report:
    """The last report of that much more audio."""
    stream.accept(np.zeros(duration_ms * 16, dtype=np.int16))
    last = None
    while (report := stream.step()) is not None:
        last = report
    assert last is not None
    return last


WORD = ScriptedWord("Hi,", 100, 300, shown_after_ms=50, final_after_ms=200, formatted="Hello,")


def test_a_word_is_speech_while_it_is_spoken() -> None:
    stream = stream_of(WORD)
    assert hear(stream, 100).speech_onset_ms is None
    spoken = hear(stream, 1)
    assert (spoken.is_speech, spoken.speech_ms, spoken.speech_onset_ms) == (True, 1, 100)
    assert hear(stream, 199).is_speech
    after = hear(stream, 1)
    assert (after.is_speech, after.speech_ms, after.last_speech_end_ms, after.silence_ms) == (False, 200, 300, 1)


def test_a_word_is_shown_and_then_final_at_its_times_after_its_end() -> None:
    stream = stream_of(WORD)
    assert hear(stream, 349).hypothesis.words == ()
    shown = hear(stream, 1).hypothesis
    assert (text_of(shown.words), shown.final_count) == ("Hi,", 0)
    assert hear(stream, 149).hypothesis.final_count == 0
    assert hear(stream, 1).hypothesis.final_count == 1


def test_a_look_hears_every_word_that_has_ended_and_reads_its_score() -> None:
    stream = stream_of(WORD, ScriptedWord("you", 300, 500, end_of_turn_confidence=0.8))
    hear(stream, 499)
    early = stream.look()
    assert (early.hypothesis.final_count, early.end_of_turn_confidence) == (1, 0.0)
    hear(stream, 1)
    late = stream.look()
    assert (late.hypothesis.final_count, late.end_of_turn_confidence) == (2, 0.8)


def test_a_later_word_is_not_final_before_an_earlier_one() -> None:
    slow = ScriptedWord("slow", 0, 100, final_after_ms=1000)
    quick = ScriptedWord("quick", 100, 200, final_after_ms=0)
    stream = stream_of(slow, quick)
    assert hear(stream, 1099).hypothesis.final_count == 0
    assert hear(stream, 1).hypothesis.final_count == 2


def test_the_end_of_a_turn_gives_both_texts_and_opens_the_next() -> None:
    stream = stream_of(WORD, ScriptedWord("you", 300, 500))
    hear(stream, 400)
    ended = stream.end_turn()
    assert (text_of(ended.words), text_of(ended.formatted_words)) == ("Hi,", "Hello,")
    rest = hear(stream, 50)
    assert (rest.speech_onset_ms, rest.speech_ms) == (400, 50)  # the word that was cut goes on
    hear(stream, 100)
    assert text_of(stream.end_turn().words) == "you"
    assert stream.end_turn() == TurnText((), ())


@pytest.mark.parametrize(("finishes", "judged_ms"), [(False, 100), (True, 130)])
def test_a_piece_that_is_not_full_waits_for_the_end(finishes: bool, judged_ms: int) -> None:
    stream = stream_of(frame_ms=50)
    stream.accept(np.zeros(130 * 16, dtype=np.int16))
    if finishes:
        stream.finish()
    judged = [report.judged_until_ms for report in iter(stream.step, None)]
    assert judged[-1] == judged_ms


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "script.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    text = '{"frame_ms": 10, "words": [{"text": "Hi", "start_ms": 0, "end_ms": 100, "confidence": 0.5}]}'
    recognizer = load(write(tmp_path, text), {})
    assert recognizer.model == "script.json"
    stream = recognizer.open_stream(StreamOptions())
    stream.accept(np.zeros(1600, dtype=np.int16))
    assert [report.judged_until_ms for report in iter(stream.step, None)] == list(range(10, 110, 10))
    (word,) = stream.end_turn().words
    assert (word.text, word.start_ms, word.end_ms, word.confidence) == ("Hi", 0, 100, 0.5)
    stream.configure(StreamOptions())
    stream.close()
    recognizer.close()


def test_without_a_script_nothing_is_heard() -> None:
    stream = load(None, {}).open_stream(StreamOptions())
    stream.accept(np.zeros(16_000, dtype=np.int16))
    assert all(report.hypothesis.words == () for report in iter(stream.step, None))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "no JSON"),
        ('{"words": [{"text": "a", "start_ms": 0}]}', "word 1: end_ms: is missing"),
        ('{"frame_ms": 0}', "frame_ms: expected whole milliseconds, at least 1, got 0"),
    ],
)
def test_a_bad_script_is_refused_with_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint) as caught:
        load(write(tmp_path, text), {})
    assert "script.json" in str(caught.value)


def test_a_script_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the script"):
        load(str(tmp_path / "absent.json"), {})
    (tmp_path / "script.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ModelError, match="cannot read the script"):
        load(str(tmp_path / "script.json"), {})
