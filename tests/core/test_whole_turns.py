"""Turns under `Finality.TURN`, as a caller meets them (protocol reference, sections 4.2, 5.1 and 5.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conversation import Caller, Ended, text_of
from tympan.core.cadence import Moment
from tympan.core.config import ConfigUpdate, Finality, TurnConfig
from tympan.core.events import EndReason, SpeechStarted, TurnEnded, TurnUpdated
from tympan.core.turn import EndTurn, HearOut, Look, TurnMachine, TurnStep
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report, Word

CONFIDENT, SILENT = EndReason.CONFIDENT, EndReason.SILENT
FORCED, SESSION_ENDED = EndReason.FORCED, EndReason.SESSION_ENDED
WHOLE_TURNS = TurnConfig(0.4, 100, 1000, finality=Finality.TURN)


@pytest.fixture
def caller() -> Caller:
    return Caller(WHOLE_TURNS)


def updates(caller: Caller) -> list[TurnUpdated]:
    return [event for event in caller.events() if isinstance(event, TurnUpdated)]


def test_a_turn_that_seems_over_is_told_in_the_pause_and_ends_a_little_later(caller: Caller) -> None:
    caller.says("book a table.", end_of_turn=0.41)
    caller.stays_silent(ms=100).sees("book a table.")
    caller.stays_silent(ms=199).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("book a table.", CONFIDENT))


def test_an_open_turn_is_told_at_the_first_look_and_ends_at_the_longest_silence(caller: Caller) -> None:
    caller.says("book a", end_of_turn=0.4).stays_silent(ms=99).sees()
    caller.stays_silent(ms=1).sees("book a")
    caller.stays_silent(ms=899).sees()
    caller.stays_silent(ms=1).hears(Ended("book a", SILENT))


def test_a_later_look_may_end_what_the_first_left_open_and_nothing_is_told_twice() -> None:
    machine = TurnMachine(WHOLE_TURNS)
    told: list[TurnStep] = []
    for silence_ms, confidence, step in [(100, 0.1, HearOut()), *((ms, ms / 1200, Look()) for ms in (300, 450, 600))]:
        assert machine.receive_report(pause(silence_ms)) == [step]
        told += machine.receive_report(pause(silence_ms, confidence), Moment.LOOK)
    assert [type(step) for step in told] == [SpeechStarted, TurnUpdated, EndTurn]
    assert told[-1] == EndTurn(CONFIDENT)


def pause(silence_ms: int, confidence: float = 0.0) -> Report:
    """Speech from 0 to 500 ms, then silence."""
    words = (Word("yes", StreamMs(0), StreamMs(500), 0.9),)
    judged_ms = StreamMs(500 + silence_ms)
    return Report(judged_ms, 500, StreamMs(0), StreamMs(500), False, Hypothesis(words), confidence)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_with_both_silences_short_every_pause_of_300_ms_ends_a_turn(score: float) -> None:
    caller = Caller(TurnConfig(0.4, 100, 100, finality=Finality.TURN))
    for order, text in enumerate(["book", "a table"]):
        caller.says(text, end_of_turn=score).stays_silent(ms=299).hears_nothing()
        caller.stays_silent(ms=1)
        (ended,) = [event for event in caller.events() if isinstance(event, TurnEnded)]
        assert (text_of(ended.words), ended.turn_order) == (text, order)


def test_the_first_partial_comes_with_the_speech_that_confirms_it(caller: Caller) -> None:
    caller.says("one two three four", word_ms=189).sees("one two three")  # 756 ms of speech
    caller.says("five six seven").sees()


def test_the_first_partial_does_not_come_a_millisecond_sooner(caller: Caller) -> None:
    caller.says("one two three", word_ms=251).says("so", word_ms=2).sees()


def test_long_speech_is_told_every_three_seconds(caller: Caller) -> None:
    caller.says(" ".join(f"w{index}" for index in range(39)), word_ms=100)  # 3.9 s: told at 0.756 and 3.756
    assert [update.words[-1].text for update in updates(caller)] == ["w5", "w35"]


def test_speech_starts_directly_before_the_first_message_of_a_turn_and_where_it_began(caller: Caller) -> None:
    caller.stays_silent(ms=500).says("good day to you", end_of_turn=1.0).stays_silent(ms=300)
    caller.says("yes", end_of_turn=1.0).stays_silent(ms=300)
    events = caller.events()
    kinds = [type(event) for event in events]
    assert kinds == [SpeechStarted, TurnUpdated, TurnUpdated, TurnEnded, SpeechStarted, TurnUpdated, TurnEnded]
    onsets_ms = [event.onset_ms for event in events if isinstance(event, SpeechStarted)]
    assert onsets_ms == [StreamMs(500), StreamMs(1600)]


def test_speech_is_as_sure_as_its_surest_piece_of_the_turn() -> None:
    machine = TurnMachine(WHOLE_TURNS)
    for probability in (0.5, 0.9, 0.1):
        machine.receive_report(replace(pause(50), speech_probability=probability))
    machine.receive_report(replace(pause(100), speech_probability=0.0))
    started, _ = machine.receive_report(replace(pause(100), speech_probability=0.0), Moment.LOOK)
    assert started == SpeechStarted(0, StreamMs(0), 0.9)


def test_no_word_of_a_partial_is_final_and_none_of_an_end_is_missing(caller: Caller) -> None:
    caller.says("one two three four five", end_of_turn=0.1).stays_silent(ms=500)
    caller.says("six", end_of_turn=0.9).stays_silent(ms=300)
    *told, ended = caller.events()
    assert all(update.final_count == 0 for update in told if isinstance(update, TurnUpdated))
    assert isinstance(ended, TurnEnded)
    assert text_of(ended.words) == "one two three four five six"
    assert ended.words == ended.utterance_words == ended.formatted_words


def test_no_utterance_closes_before_the_turn(caller: Caller) -> None:
    caller.says("well", end_of_turn=0.1).stays_silent(ms=900)
    assert [update.utterance_words for update in updates(caller)] == [()]


def test_a_pause_tells_how_sure_the_look_is_and_speech_that_it_is_not_over(caller: Caller) -> None:
    caller.says("so I thought well", end_of_turn=0.3).stays_silent(ms=300)
    assert [update.end_of_turn_confidence for update in updates(caller)] == [0.0, 0.3]


def test_a_turn_of_one_short_word_ends_by_silence(caller: Caller) -> None:
    caller.says("oh", word_ms=32, end_of_turn=0.0).stays_silent(ms=999).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("oh", SILENT))


def test_a_forced_end_takes_the_words_that_were_spoken_and_the_rest_opens_the_next_turn(caller: Caller) -> None:
    caller.says("one two").forces_endpoint().hears(Ended("one two", FORCED))
    caller.says("three", end_of_turn=1.0).stays_silent(ms=300).hears(Ended("three", CONFIDENT, 1))


def test_forcing_an_end_without_words_tells_nothing(caller: Caller) -> None:
    assert caller.stays_silent(ms=1000).forces_endpoint().forces_endpoint().events() == []


def test_a_forced_end_in_a_pause_that_was_told_gives_the_one_final(caller: Caller) -> None:
    caller.says("one", end_of_turn=0.1).stays_silent(ms=300).forces_endpoint().forces_endpoint()
    caller.hears(Ended("one", FORCED))
    caller.stays_silent(ms=2000).hears_nothing()


def test_hanging_up_ends_the_open_turn(caller: Caller) -> None:
    caller.says("good bye").hangs_up().hears(Ended("good bye", SESSION_ENDED))


def test_new_numbers_hold_from_where_they_stand_in_the_audio(caller: Caller) -> None:
    caller.says("one two", end_of_turn=0.1)
    caller.updates(ConfigUpdate(max_silence_ms=300, partial_delay_ms=1000, has_continuous_partials=False))
    caller.stays_silent(ms=299).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("one two", SILENT))
    caller.says(" ".join(f"w{index}" for index in range(50)), word_ms=100)
    assert [update.words[-1].text for update in updates(caller)] == ["w10"]
