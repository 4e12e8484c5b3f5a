"""Turns as a caller meets them, and the corners of TurnMachine that no scripted caller reaches."""

from __future__ import annotations

from dataclasses import replace

from conversation import Caller, Ended, listen, silence, text_of
from tympan.core.audio import AudioFormat, Encoding
from tympan.core.cadence import Moment
from tympan.core.config import ConfigUpdate, SessionConfig, TurnConfig
from tympan.core.effects import Finish
from tympan.core.endpoint import MIN_SPEECH_MS
from tympan.core.events import ConfigurationChanged, EndReason, SpeechStarted, TurnEnded, TurnUpdated
from tympan.core.turn import EndTurn, HearOut, Look, TurnMachine
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report, TurnText, Word
from tympan.engines.scripted import Script, ScriptedWord

CONFIDENT, SILENT = EndReason.CONFIDENT, EndReason.SILENT
FORCED, SESSION_ENDED = EndReason.FORCED, EndReason.SESSION_ENDED


def test_a_confident_turn_ends_after_the_shorter_silence(caller: Caller) -> None:
    caller.says("book a table", end_of_turn=0.9)
    caller.stays_silent(ms=399).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("book a table", CONFIDENT))


def test_a_doubtful_turn_ends_after_the_longer_silence(caller: Caller) -> None:
    caller.says("book a", end_of_turn=0.4)
    caller.stays_silent(ms=1279).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("book a", SILENT))


def test_speech_that_resumes_in_time_stays_in_its_turn(caller: Caller) -> None:
    caller.says("book a", end_of_turn=0.1).stays_silent(ms=1279)
    caller.says("table", end_of_turn=0.9).hears_nothing()
    caller.stays_silent(ms=400).hears(Ended("book a table", CONFIDENT))


def test_the_score_of_an_earlier_pause_does_not_end_a_later_one(caller: Caller) -> None:
    caller.says("so", end_of_turn=0.9).stays_silent(ms=399)
    caller.says("I was", end_of_turn=0.1).stays_silent(ms=1279).hears_nothing()


def test_each_turn_has_the_next_number(caller: Caller) -> None:
    for order, text in enumerate(["yes", "no", "maybe"]):
        caller.says(text, end_of_turn=1.0).stays_silent(ms=400).hears(Ended(text, CONFIDENT, order))


def test_silence_alone_never_ends_anything(caller: Caller) -> None:
    caller.stays_silent(ms=20_000)
    assert caller.hangs_up().events() == []


def test_no_turn_ends_while_no_audio_comes(caller: Caller) -> None:
    caller.says("hello", end_of_turn=1.0).stays_silent(ms=399)
    caller.hears_nothing()
    caller.hears_nothing()  # asked later; the audio clock has not moved


def test_less_than_80_ms_of_speech_does_not_end_by_silence(caller: Caller) -> None:
    caller.says("oh", word_ms=MIN_SPEECH_MS - 1, end_of_turn=1.0)
    caller.stays_silent(ms=5000).hears_nothing()
    caller.hangs_up().hears(Ended("oh", SESSION_ENDED))


def test_80_ms_of_speech_are_enough(caller: Caller) -> None:
    caller.says("oh", word_ms=MIN_SPEECH_MS, end_of_turn=1.0)
    caller.stays_silent(ms=399).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("oh", CONFIDENT))


def test_words_appear_one_by_one_and_become_final(caller: Caller) -> None:
    caller.says("book a table").sees("book", "book a")
    caller.stays_silent(ms=100).sees("BOOK a table")


def test_a_pause_closes_the_utterance_and_finalises_its_words(caller: Caller) -> None:
    caller.says("book a table", end_of_turn=0.1).stays_silent(ms=399)
    assert not any(update.utterance_words for update in updates(caller))
    caller.stays_silent(ms=1).sees("BOOK A TABLE")
    caller.stays_silent(ms=900)
    assert updates(caller) == []  # later looks in the same pause have nothing new to tell


def test_a_pause_closes_the_utterance_also_where_no_score_ends_a_turn() -> None:
    caller = Caller(TurnConfig(1.0, 160, 1280))
    caller.says("book a table", end_of_turn=1.0).stays_silent(ms=1279)
    assert [text_of(update.utterance_words) for update in updates(caller) if update.utterance_words] == ["book a table"]


def test_an_early_look_is_scored_only_where_the_score_could_end_the_turn() -> None:
    report = Report(StreamMs(660), 500, StreamMs(0), StreamMs(500), False, Hypothesis(), 0.0)
    machine = TurnMachine(TurnConfig(1.0, 160, 1280))
    assert machine.receive_report(report) == [HearOut()]
    assert machine.receive_report(replace(report, judged_until_ms=StreamMs(900))) == [Look()]
    machine = TurnMachine(TurnConfig(0.99, 160, 1280))
    assert machine.receive_report(report) == [Look()]


def test_each_utterance_of_a_turn_is_told_once(caller: Caller) -> None:
    caller.says("well", end_of_turn=0.1).stays_silent(ms=450)
    caller.says("yes", end_of_turn=0.9).stays_silent(ms=400)
    events = caller.events()
    told = [event.utterance_words for event in events if isinstance(event, TurnUpdated | TurnEnded)]
    assert [[word.text for word in words] for words in told if words] == [["well"], ["yes"]]
    assert [type(event) for event in events][-1] is TurnEnded


def test_the_last_utterance_comes_with_the_end_when_no_pause_closed_it(caller: Caller) -> None:
    caller.says("stop").forces_endpoint()
    (ended,) = [event for event in caller.events() if isinstance(event, TurnEnded)]
    assert ended.utterance_words == ended.words


def test_speech_starts_once_a_turn_before_its_first_words(caller: Caller) -> None:
    caller.stays_silent(ms=500).says("good day", end_of_turn=1.0).stays_silent(ms=400)
    events = caller.events()
    assert events[0] == SpeechStarted(0, StreamMs(500))
    assert sum(isinstance(event, SpeechStarted) for event in events) == 1


def test_a_turn_that_was_never_shown_still_starts(caller: Caller) -> None:
    caller.says("stop", word_ms=90).forces_endpoint()
    assert [type(event) for event in caller.events()] == [SpeechStarted, TurnEnded]


def test_a_forced_end_takes_the_words_that_were_spoken_to_their_end(caller: Caller) -> None:
    caller.says("one two").forces_endpoint().hears(Ended("one two", FORCED))
    caller.stays_silent(ms=5000).hears_nothing()


def test_what_follows_a_forced_end_opens_the_next_turn(caller: Caller) -> None:
    caller.says("one").forces_endpoint().says("two", end_of_turn=1.0).stays_silent(ms=400)
    caller.hears(Ended("one", FORCED), Ended("two", CONFIDENT, 1))


def test_forcing_an_end_without_words_tells_nothing(caller: Caller) -> None:
    caller.stays_silent(ms=1000).forces_endpoint().forces_endpoint()
    assert caller.events() == []


def test_forcing_twice_ends_one_turn(caller: Caller) -> None:
    caller.says("one").forces_endpoint().forces_endpoint().hears(Ended("one", FORCED))


def test_hanging_up_ends_the_open_turn(caller: Caller) -> None:
    caller.says("good bye").hangs_up().hears(Ended("good bye", SESSION_ENDED))


def test_a_forced_end_directly_followed_by_the_end_loses_nothing(caller: Caller) -> None:
    caller.says("good bye").forces_endpoint().hangs_up().hears(Ended("good bye", FORCED))


def test_an_update_acts_from_where_it_stands_in_the_audio(caller: Caller) -> None:
    caller.updates(ConfigUpdate(min_silence_ms=100)).says("yes", end_of_turn=1.0)
    caller.stays_silent(ms=99).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("yes", CONFIDENT))


def test_an_update_in_a_pause_can_end_the_turn_with_the_next_audio(caller: Caller) -> None:
    caller.says("yes", end_of_turn=0.1).stays_silent(ms=1000)
    caller.updates(ConfigUpdate(max_silence_ms=500)).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("yes", SILENT))


def test_an_update_is_told_between_the_events_before_and_after_it(caller: Caller) -> None:
    caller.says("yes", end_of_turn=1.0).stays_silent(ms=400)
    caller.updates(ConfigUpdate(format_turns=True))
    caller.says("no", end_of_turn=1.0).stays_silent(ms=400)
    kinds = [type(e) for e in caller.events() if isinstance(e, TurnEnded | ConfigurationChanged)]
    assert kinds == [TurnEnded, ConfigurationChanged, TurnEnded]


def test_silence_alone_decides_at_a_threshold_of_one() -> None:
    caller = Caller(TurnConfig(confidence_threshold=1.0))
    caller.says("yes", end_of_turn=1.0).stays_silent(ms=1279).hears_nothing()
    caller.stays_silent(ms=1).hears(Ended("yes", SILENT))


def test_the_last_samples_that_a_resampler_holds_back_are_heard_at_the_end() -> None:
    audio = AudioFormat(Encoding.PCM_MULAW, 8000)
    script = Script((ScriptedWord("bye", 700, 1000),), frame_ms=1)
    (*_, ended) = listen(script, SessionConfig(audio=audio), [silence(1000, audio), Finish()])
    assert isinstance(ended, TurnEnded)
    assert ended.words[0].end_ms == 1000


def updates(caller: Caller) -> list[TurnUpdated]:
    return [event for event in caller.events() if isinstance(event, TurnUpdated)]


# What an engine may say and the scripted one never does: noise, late scores, words taken back.


def word(text: str, start_ms: int = 0, end_ms: int = 200) -> Word:
    return Word(text, StreamMs(start_ms), StreamMs(end_ms), 0.9)


def report(
    silence_ms: int,
    *words: Word,
    speech_end_ms: int = 1000,
    speech_ms: int = 500,
    final_count: int = 0,
    confidence: float = 0.0,
) -> Report:
    """Speech from 500 ms to `speech_end_ms`, then silence."""
    return Report(
        judged_until_ms=StreamMs(speech_end_ms + silence_ms),
        speech_ms=speech_ms,
        speech_onset_ms=StreamMs(500),
        last_speech_end_ms=StreamMs(speech_end_ms),
        is_speech=silence_ms == 0,
        hypothesis=Hypothesis(words, final_count),
        end_of_turn_confidence=confidence,
    )


def test_the_turn_is_looked_at_at_each_of_its_silences_and_once() -> None:
    machine = TurnMachine(TurnConfig())
    looks = []
    for silence_ms in range(0, 1280, 20):
        if machine.receive_report(report(silence_ms, word("hm"))) == [Look()]:
            looks.append(silence_ms)
            machine.receive_report(report(silence_ms, word("hm")), Moment.LOOK)
    assert looks == [400, 600]


def test_one_report_that_passes_several_silences_is_looked_at_once() -> None:
    machine = TurnMachine(TurnConfig())
    assert machine.receive_report(report(700, word("hm"))) == [Look()]
    machine.receive_report(report(700, word("hm")), Moment.LOOK)
    assert Look() not in machine.receive_report(report(720, word("hm")))


def test_the_late_look_may_end_what_the_early_one_left_open() -> None:
    machine = TurnMachine(TurnConfig())
    for silence_ms in (400, 500):
        machine.receive_report(report(silence_ms, word("yes")))
        machine.receive_report(report(silence_ms, word("yes"), confidence=0.3), Moment.LOOK)
    assert machine.receive_report(report(600, word("yes"), confidence=0.3)) == [Look()]
    assert machine.receive_report(report(600, word("yes"), confidence=0.5), Moment.LOOK) == [EndTurn(CONFIDENT)]


def test_a_word_too_short_to_be_seen_as_speech_makes_the_looks_due_again() -> None:
    machine = TurnMachine(TurnConfig())
    machine.receive_report(report(600, word("so")))
    machine.receive_report(report(600, word("so")), Moment.LOOK)
    later = report(400, word("so"), word("uh", 1700, 1710), speech_end_ms=1710)
    assert machine.receive_report(later) == [Look()]


def test_a_noise_is_discarded_after_the_longest_silence_and_untold() -> None:
    machine = TurnMachine(TurnConfig())
    for silence_ms in (400, 1279):
        machine.receive_report(report(silence_ms))
        assert machine.receive_report(report(silence_ms, confidence=1.0), Moment.LOOK) == []
    (end,) = machine.receive_report(report(1280))
    assert isinstance(end, EndTurn)
    assert machine.receive_turn_text(TurnText((), ()), end) == []


def test_words_that_appear_only_when_a_noise_is_discarded_are_told() -> None:
    machine = TurnMachine(TurnConfig())
    words = (word("psst"),)
    events = machine.receive_turn_text(TurnText(words, words), EndTurn(SILENT))
    assert [type(event) for event in events] == [SpeechStarted, TurnEnded]


def test_words_shown_in_vain_are_taken_back_and_their_turn_goes_on() -> None:
    machine = TurnMachine(TurnConfig())
    machine.receive_report(report(0, word("uh")))
    (gone,) = machine.receive_turn_text(TurnText((), ()), EndTurn(SILENT))
    assert gone == TurnUpdated(0, (), 0, 0.0)
    (shown,) = machine.receive_report(report(0, word("yes"), speech_end_ms=4000))
    assert isinstance(shown, TurnUpdated)  # and no second SpeechStarted for the same turn
    assert shown.turn_order == 0


def test_forcing_an_end_takes_back_words_that_the_look_no_longer_finds() -> None:
    machine = TurnMachine(TurnConfig())
    machine.receive_report(report(0, word("uh")))
    assert machine.receive_force(report(0), FORCED) == [TurnUpdated(0, (), 0, 0.0)]
    assert machine.receive_force(report(0), FORCED) == []


def test_an_utterance_closes_only_when_all_its_words_are_final() -> None:
    machine = TurnMachine(TurnConfig())
    words = (word("one"), word("two", 200, 400))
    machine.receive_report(report(400, *words, final_count=1))
    (*_, update) = machine.receive_report(report(400, *words, final_count=1), Moment.LOOK)
    assert isinstance(update, TurnUpdated)
    assert update.utterance_words == ()


def test_an_unchanged_hypothesis_is_not_told_again() -> None:
    machine = TurnMachine(TurnConfig())
    assert machine.receive_report(report(0, word("a")))
    assert machine.receive_report(report(0, word("a"), speech_end_ms=1020)) == []


def test_speech_without_a_known_onset_starts_with_its_first_word() -> None:
    machine = TurnMachine(TurnConfig())
    unvoiced = Report(StreamMs(900), 0, None, None, False, Hypothesis((word("a", 120, 300),)), 0.0)
    assert machine.receive_report(unvoiced)[0] == SpeechStarted(0, StreamMs(120))


def test_a_turn_never_ends_while_somebody_speaks_even_without_a_minimum_silence() -> None:
    machine = TurnMachine(TurnConfig(confidence_threshold=0, min_silence_ms=0))
    steps = machine.receive_report(report(0, word("a"), confidence=1.0), Moment.LOOK)
    assert not any(isinstance(step, EndTurn) for step in steps)
