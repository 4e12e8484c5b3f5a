"""Scripts as people write them: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tympan.core.errors import ScriptError
from tympan.script.cues import AfterAudio, AfterMessages, At, Close, Cue, Drop, FallSilent, Pause, Say
from tympan.script.format import parse_programme
from tympan.script.programme import Programme
from tympan.script.reference import EXAMPLE
from tympan.script.timeline import ScriptedWord


def read(text: str) -> Programme:
    return parse_programme(text, "talk.toml")


def words(text: str, session: int = 0) -> tuple[ScriptedWord, ...]:
    return read(text).session(session).timeline.words


def spans(text: str) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for word in words(text)]


def test_a_text_alone_is_a_turn_with_sensible_word_times() -> None:
    assert spans('[[turns]]\ntext = "Hi, my name is Sonny."') == [
        ("Hi,", 300, 500),
        ("my", 540, 740),
        ("name", 780, 1060),
        ("is", 1100, 1300),
        ("Sonny.", 1340, 1660),
    ]


def test_only_the_last_word_of_a_turn_may_end_it() -> None:
    first, last = words('[[turns]]\ntext = "Hi there."\nend_of_turn_confidence = 0.7\nconfidence = 0.4')
    assert (first.end_of_turn_confidence, last.end_of_turn_confidence) == (0.0, 0.7)
    assert (first.confidence, last.confidence) == (0.4, 0.4)


def test_turns_follow_each_other_after_a_pause_or_where_they_say() -> None:
    script = """
        [[turns]]
        text = "One"
        [[turns]]
        text = "Two"
        [[turns]]
        text = "Three"
        pause_ms = 700
        [[turns]]
        text = "Four"
        start_ms = 10_000
        end_ms = 12_000
    """
    assert spans(script) == [
        ("One", 300, 540),
        ("Two", 2040, 2280),
        ("Three", 2980, 3300),
        ("Four", 10_000, 12_000),
    ]


def test_partials_come_at_multiples_of_their_cadence() -> None:
    (word,) = words('partial_every_ms = 1000\n[[turns]]\ntext = "Hi"')
    assert (word.end_ms + word.shown_after_ms, word.end_ms + word.final_after_ms) == (1000, 1000)


def test_single_words_have_all_their_times() -> None:
    table = {"text": "Hi", "start_ms": 5, "end_ms": 9, "shown_after_ms": 1, "final_after_ms": 2, "formatted": "Hey"}
    script = read(json.dumps({"frame_ms": 10, "words": [table]})).session(0).timeline
    assert script.frame_ms == 10
    assert script.words == (ScriptedWord("Hi", 5, 9, shown_after_ms=1, final_after_ms=2, formatted="Hey"),)


TWO_SESSIONS = '[[sessions]]\nturns = [{text = "a"}]\n[[sessions]]\nturns = [{text = "b"}]\n'


@pytest.mark.parametrize(
    ("after_last", "played"), [("", "abbb"), ('after_last = "repeat"', "abbb"), ('after_last = "start over"', "abab")]
)
def test_sessions_are_played_in_order_and_then_as_it_says(after_last: str, played: str) -> None:
    programme = read(f"{after_last}\n{TWO_SESSIONS}")
    assert "".join(programme.session(index).timeline.words[0].text for index in range(4)) == played


@pytest.mark.parametrize(
    ("fault", "cue"),
    [
        ('at = "begin"\ndelay_ms = 500', Cue(At.BEGIN, Pause(500))),
        ('at = "termination"\nclose = 1011\nerror = ""', Cue(At.TERMINATION, Close(1011))),
        ('at = "terminate"\nclose = 1000', Cue(At.TERMINATE, Close(1000))),
        ("after_audio_ms = 800\nclose = 3005", Cue(AfterAudio(800), Close(3005, "Fault of the script"))),
        ("after_audio_ms = 0\ndrop = true", Cue(AfterAudio(0), Drop())),
        ("after_messages = 2\nsend = '{'", Cue(AfterMessages(2), Say("{"))),
        ("after_messages = 1\nsilent = true", Cue(AfterMessages(1), FallSilent())),
    ],
)
def test_a_fault_has_a_moment_and_an_act(fault: str, cue: Cue) -> None:
    assert read(f"[[faults]]\n{fault}").session(0).cues == (cue,)


def test_a_message_is_said_as_it_stands_after_its_audio_or_at_the_end() -> None:
    (cue,) = read('[[messages]]\nat_ms = 40\ntype = "SpeechStarted"\ntimestamp = 10\nnew = "field"').session(0).cues
    assert cue == Cue(AfterAudio(40, or_at_end=True), Say('{"type":"SpeechStarted","timestamp":10,"new":"field"}'))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("turns = [", "talk.toml: no TOML: "),
        ('{"turns": }', "talk.toml: no JSON: "),
        ('{"a":' * 100_000, "talk.toml: nested too deep"),
        (
            "turn = 1",
            "talk.toml: turn: no such key; did you mean 'turns'? expected: sessions, after_last, turns",
        ),
        ("[[session]]", "talk.toml: session: no such key; did you mean 'sessions'?"),
        ("turns = 1", "talk.toml: turns: expected a list of tables, got 1"),
        ("sessions = []", "talk.toml: sessions: expected at least one"),
        ('after_last = "stop"', 'talk.toml: after_last: expected "repeat" or "start over", got "stop"'),
        ("sessions = [{}]\nturns = []", "talk.toml: turns: no such key; expected: sessions, after_last"),
        ("[[turns]]", "talk.toml: turn 1: text: is missing"),
        ('[[turns]]\ntext = " "', 'turn 1: text: expected a text, got " "'),
        ('[[turns]]\ntext = "a"\nconfidence = 2', "turn 1: confidence: expected a number from 0 to 1, got 2"),
        ('[[turns]]\ntext = "a"\nconfidence = true', "turn 1: confidence: expected a number from 0 to 1, got true"),
        ('[[turns]]\ntext = "a"\nstart_ms = -1', "turn 1: start_ms: expected whole milliseconds, got -1"),
        ('[[turns]]\ntext = "a"\nstart_ms = 1.5', "turn 1: start_ms: expected whole milliseconds, got 1.5"),
        ('[[turns]]\ntext = "a"\nstart_ms = 1979-05-27', 'start_ms: expected whole milliseconds, got "1979-05-27"'),
        ('[[turns]]\ntext = "a"\nstart_ms = 1\npause_ms = 2', "turn 1: pause_ms: expected start_ms or pause_ms"),
        (
            '[[turns]]\ntext = "a"\nend_ms = 300',
            "turn 1: end_ms: expected more than 300, where the turn starts; got 300",
        ),
        (
            '[[turns]]\ntext = "a"\nend_ms = 900\n[[turns]]\ntext = "b"\nstart_ms = 899',
            "turn 2: start_ms: expected at least 900, where the turn before ends; got 899",
        ),
        ('words = [{text = "a", start_ms = 5, end_ms = 4}]', "word 1: start_ms: 'a' spans 5 to 4 ms"),
        ('words = [{text = "a", start_ms = 5, end_ms = 9}]\nturns = []', "words: expected turns or words, got both"),
        (f"{TWO_SESSIONS}partial_every_ms = 0", "session 2: partial_every_ms: expected whole milliseconds, at least 1"),
        ("[[faults]]\ndrop = true", "fault 1: expected one moment: at, after_audio_ms, after_messages; got none"),
        ('[[faults]]\nat = "begin"', "fault 1: expected one act: close, drop, delay_ms, send, silent; got none"),
        (
            '[[faults]]\nat = "begin"\nclose = 1000\ndrop = true',
            "fault 1: expected one act: close, drop, delay_ms, send, silent; got close and drop",
        ),
        ('[[faults]]\nat = "begin"\nclose = 1000.0', "fault 1: close: expected a close code"),
        ('[[faults]]\nat = "begin"\nclose = 1006', "fault 1: close: expected a close code: 1000 to 1003"),
        ('[[faults]]\nat = "begin"\ndrop = true\nerror = "a"', "fault 1: error: only close has one"),
        ('[[faults]]\nat = "start"\ndrop = true', 'at: expected "begin" or "terminate" or "termination", got "start"'),
        ('[[messages]]\ntype = "SpeechStarted"\ntimestamp = 1', "message 1: at_ms: expected whole milliseconds"),
        ("[[messages]]\nat_ms = 1", "message 1: no message of a server: Invalid Message: expected a string"),
        ('[[messages]]\nat_ms = 1\ntype = "Trun"', "message 1: no message of a server: Invalid Message Type: Trun"),
        (
            '[[messages]]\nat_ms = 1\ntype = "SpeechStarted"\ntimestamp = "now"',
            "message 1: no message of a server: Invalid 'timestamp': expected an integer, got a string",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_was_expected(text: str, complaint: str) -> None:
    with pytest.raises(ScriptError) as caught:
        read(text)
    assert complaint in str(caught.value)


def test_a_long_wrong_value_is_quoted_in_part() -> None:
    with pytest.raises(ScriptError, match=r'got "x{59}…$'):
        read(f'[[turns]]\ntext = "a"\nstart_ms = "{"x" * 1000}"')


TEXTS = st.lists(st.text(alphabet="abcé,.1 ", min_size=1).filter(str.strip), min_size=1, max_size=5)


@given(TEXTS)
def test_spoken_words_are_those_of_the_text_in_order_and_never_overlap(texts: list[str]) -> None:
    spoken = words(json.dumps({"turns": [{"text": text} for text in texts]}))
    assert [word.text for word in spoken] == " ".join(texts).split()
    ends = [0, *(word.end_ms for word in spoken)]
    assert all(end <= word.start_ms < word.end_ms for end, word in zip(ends, spoken, strict=False))


@settings(max_examples=50)
@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_a_script_or_a_script_error(text: str) -> None:
    try:
        programme = read(text)
    except ScriptError:
        return
    assert programme.sessions


def test_the_example_of_the_reference_page_is_a_script() -> None:
    programme = read(EXAMPLE)
    assert programme.session(0).cues == (Cue(AfterAudio(1000), Close(3005, "Fault of the script")),)
    assert programme.session(1).timeline.words[5].start_ms == programme.session(1).timeline.words[4].end_ms + 2000
