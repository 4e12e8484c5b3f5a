"""Which cue is due when."""

from __future__ import annotations

import pytest

from tympan.script.cues import AfterAudio, AfterMessages, At, Cue, Drop, FallSilent, Pause, Say
from tympan.script.director import Director, is_terminate, message_type

BEGIN = '{"type": "Begin"}'
TURN = '{"type": "Turn"}'
TERMINATION = '{"type": "Termination"}'
TERMINATE = '{"type": "Terminate"}'


def test_a_cue_for_audio_is_due_once_with_the_audio_that_completes_it() -> None:
    director = Director([Cue(AfterAudio(100), Drop())])
    assert director.receive_audio(99) == []
    assert director.receive_audio(150) == [Drop()]
    assert director.receive_audio(200) == []


def test_cues_that_fall_together_come_by_their_moments_and_then_as_written() -> None:
    director = Director([Cue(AfterAudio(20), Say("c")), Cue(AfterAudio(10), Say("a")), Cue(AfterAudio(10), Say("b"))])
    assert director.receive_audio(50) == [Say("a"), Say("b"), Say("c")]


def test_equal_cues_are_all_given() -> None:
    director = Director([Cue(AfterAudio(10), Say("a")), Cue(AfterAudio(10), Say("a"))])
    assert director.receive_audio(10) == [Say("a"), Say("a")]


def test_messages_that_are_left_come_at_terminate_and_faults_for_audio_do_not() -> None:
    director = Director(
        [Cue(AfterAudio(10, or_at_end=True), Say("a")), Cue(AfterAudio(10), Drop()), Cue(At.TERMINATE, Pause(1))]
    )
    assert director.receive_text('{"type": "KeepAlive"}') == []
    assert director.receive_text(TERMINATE) == [Pause(1), Say("a")]


def test_begin_is_the_first_message_whatever_it_is() -> None:
    director = Director([Cue(At.BEGIN, Pause(1))])
    assert director.before_message(BEGIN) == [Pause(1)]
    director.after_message()
    assert director.before_message(TURN) == []


def test_messages_are_counted_from_begin() -> None:
    director = Director([Cue(AfterMessages(2), FallSilent())])
    assert director.after_message() == []
    assert director.after_message() == [FallSilent()]
    assert director.after_message() == []


@pytest.mark.parametrize("last", [TERMINATION, '{"message_type": "SessionTerminated"}'])
def test_termination_has_a_moment_before_it(last: str) -> None:
    director = Director([Cue(At.TERMINATION, Drop())])
    director.after_message()
    assert director.before_message(TURN) == []
    assert director.before_message(last) == [Drop()]


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"type": 1}', '{"terminate_session": false}', "[" * 100_000])
def test_nonsense_is_no_terminate_and_has_no_type(text: str) -> None:
    assert not is_terminate(text)
    assert message_type(text) is None


def test_both_versions_of_terminate_are_known() -> None:
    assert is_terminate(TERMINATE)
    assert is_terminate('{"terminate_session": true}')
