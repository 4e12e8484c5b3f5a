"""Heartbeats: every five seconds of the room, while they are wanted."""

from __future__ import annotations

import math

import pytest

from tympan.core.config import ConfigUpdate, OutputConfig, SessionConfig, SessionLimits
from tympan.core.effects import Close, Effect, Emit, Finish, Mark
from tympan.core.errors import Inactive
from tympan.core.events import Heartbeat
from tympan.core.heartbeat import PERIOD_S, HeartbeatTimer
from tympan.core.listening import Heard
from tympan.core.session import Session
from tympan.core.units import Monotonic, StreamMs

BEGAN = Monotonic(100.0)


def session(limits: SessionLimits | None = None, *, is_on: bool = True) -> Session:
    config = SessionConfig(output=OutputConfig(has_heartbeat=is_on), limits=limits or SessionLimits())
    return Session("s", config, BEGAN)


def beats(effects: list[Effect]) -> list[Heartbeat]:
    return [effect.event for effect in effects if isinstance(effect, Emit) and isinstance(effect.event, Heartbeat)]


def after(seconds: float) -> Monotonic:
    return Monotonic(BEGAN + seconds)


@pytest.mark.parametrize(("seconds", "is_due"), [(PERIOD_S - 0.001, False), (PERIOD_S, True)])
def test_a_beat_is_due_after_the_period(seconds: float, is_due: bool) -> None:
    assert bool(HeartbeatTimer(BEGAN, is_on=True).advance(after(seconds), StreamMs(0))) is is_due


def test_a_timer_that_is_off_is_never_due() -> None:
    timer = HeartbeatTimer(BEGAN, is_on=False)
    assert timer.deadline() == math.inf
    assert timer.advance(after(1e9), StreamMs(0)) == []


def test_switching_on_again_keeps_the_time() -> None:
    timer = HeartbeatTimer(BEGAN, is_on=True)
    timer.switch(after(3), is_on=True)
    assert timer.deadline() == after(PERIOD_S)
    timer.switch(after(3), is_on=False)
    timer.switch(after(4), is_on=True)
    assert timer.deadline() == after(4 + PERIOD_S)


def test_a_session_tells_how_much_audio_came_in_what_time() -> None:
    talk = session()
    assert talk.deadline() == after(5)
    assert beats(talk.receive_audio(b"\0" * 64_000, after(4.9))) == []
    assert beats(talk.advance(after(5))) == [Heartbeat(StreamMs(2000), 5000, 0.4, 0.0)]
    assert talk.deadline() == after(10)


def test_a_late_beat_is_told_once_and_before_the_message_that_shows_it() -> None:
    talk = session()
    first, *rest = talk.receive_audio(b"\0" * 3200, after(17))
    assert isinstance(first, Emit)
    assert beats([first]) == [Heartbeat(StreamMs(0), 17_000, 0.0, 0.0)]
    assert beats(rest) == []
    assert talk.deadline() == after(22)


def test_beats_may_be_asked_for_and_turned_off_in_mid_session() -> None:
    talk = session(is_on=False)
    talk.receive_update(ConfigUpdate(has_heartbeat=True), after(2))
    talk.receive_update(ConfigUpdate(min_silence_ms=100), after(3))
    assert len(beats(talk.advance(after(7)))) == 1
    talk.receive_update(ConfigUpdate(has_heartbeat=False), after(8))
    assert beats(talk.advance(after(1000))) == []


def test_a_beat_tells_the_surest_speech_since_the_one_before() -> None:
    talk = session()
    for judged_ms, probability in [(20, 0.2), (40, 0.9), (60, 0.1)]:
        talk.receive_heard(Heard(StreamMs(judged_ms), speech_probability=probability), after(1))
    told = [beat.speech_probability for at_s in (5, 10) for beat in beats(talk.advance(after(at_s)))]
    assert told == [0.9, 0.0]


def test_a_session_that_ends_beats_no_more() -> None:
    talk = session()
    talk.receive_terminate(after(1))
    assert talk.deadline() is None
    assert talk.advance(after(60)) == []


def test_a_beat_keeps_no_silent_client_alive() -> None:
    talk = session(SessionLimits(inactivity_timeout_s=7))
    assert len(beats(talk.advance(after(5)))) == 1
    (close,) = talk.advance(after(7))
    assert isinstance(close, Close)
    assert isinstance(close.error, Inactive)


def test_a_beat_that_is_due_with_the_end_comes_before_it() -> None:
    beat, end = session(SessionLimits(max_duration_s=5)).advance(after(5))
    assert beats([beat])
    assert end == Mark(Finish())
