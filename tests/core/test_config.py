"""Configuration updates and the small promises of the vocabulary."""

from __future__ import annotations

from tympan.core.config import ConfigUpdate, SessionConfig, TurnConfig
from tympan.core.errors import BadParameter, EngineError, TympanError, UnknownMessageType
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report, Word


def test_an_empty_update_changes_nothing() -> None:
    config = SessionConfig(turn=TurnConfig(0.7, 500, 900, 0.3))
    assert ConfigUpdate().apply_to(config) == config


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    before = SessionConfig()
    after = ConfigUpdate(min_silence_ms=100, format_turns=True).apply_to(before)
    assert after.turn == TurnConfig(min_silence_ms=100)
    assert after.output.format_turns
    assert (after.audio, after.limits) == (before.audio, before.limits)


def test_falsy_values_are_values() -> None:
    config = ConfigUpdate(format_turns=True).apply_to(SessionConfig())
    update = ConfigUpdate(confidence_threshold=0.0, min_silence_ms=0, vad_threshold=0.0, format_turns=False)
    after = update.apply_to(config)
    assert after.turn == TurnConfig(0.0, 0, 1280, 0.0)
    assert not after.output.format_turns


def test_a_minimum_raised_above_the_maximum_for_a_while_leaves_the_maximum_as_it_was() -> None:
    raised = ConfigUpdate(min_silence_ms=2000).apply_to(SessionConfig())
    assert raised.turn.longest_silence_ms == 2000
    lowered = ConfigUpdate(min_silence_ms=400).apply_to(raised)
    assert lowered.turn.longest_silence_ms == 1280


def test_the_final_words_are_the_leading_ones() -> None:
    words = tuple(Word(text, StreamMs(0), StreamMs(1), 0.5) for text in ("a", "b"))
    assert Hypothesis(words, 1).final_words == words[:1]


def test_silence_is_counted_from_the_last_speech_and_only_then() -> None:
    def report(*, last_ms: int | None, is_speech: bool) -> Report:
        last = None if last_ms is None else StreamMs(last_ms)
        return Report(StreamMs(1000), 100, StreamMs(0), last, is_speech, Hypothesis(), 0.0)

    assert report(last_ms=600, is_speech=False).silence_ms == 400
    assert report(last_ms=1000, is_speech=True).silence_ms == 0
    assert report(last_ms=None, is_speech=False).silence_ms == 0


def test_errors_name_what_is_wrong() -> None:
    errors: list[TympanError] = [
        BadParameter("encoding", "'flac' is not a valid Encoding"),
        UnknownMessageType("Hello"),
        EngineError("scripted", "out of tape"),
    ]
    assert [str(error) for error in errors] == [
        "Invalid 'encoding': 'flac' is not a valid Encoding",
        "Invalid Message Type: Hello",
        "engine 'scripted' failed: out of tape",
    ]
