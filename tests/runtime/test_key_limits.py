"""Places for the sessions of a key, in a time of the tests' own."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tympan.core.errors import TooManyNewSessions, TooManySessionsOfKey
from tympan.core.units import Monotonic
from tympan.runtime.key_limits import WINDOW_S, KeyLimits, KeyPlaces

KEYS = ("alice", "bob", "")


def at(seconds: float) -> Monotonic:
    return Monotonic(seconds)


def begin_and_end(places: KeyPlaces, key: str, seconds: float) -> None:
    with places.place(key, at(seconds)):
        pass


def test_a_key_holds_as_many_sessions_as_it_may_and_another_key_as_many_again() -> None:
    places = KeyPlaces(KeyLimits(max_sessions=2))
    with places.place("alice", at(0)), places.place("alice", at(0)):
        with pytest.raises(TooManySessionsOfKey, match="all 2 sessions of the key are taken"):
            begin_and_end(places, "alice", 0)
        begin_and_end(places, "bob", 0)
        assert (places.active("alice"), places.active("bob")) == (2, 0)
    begin_and_end(places, "alice", 0)


def test_a_place_is_given_back_when_its_session_fails() -> None:
    places = KeyPlaces(KeyLimits(max_sessions=1))
    with pytest.raises(ZeroDivisionError), places.place("alice", at(0)):
        raise ZeroDivisionError
    assert places.active("alice") == 0


def test_the_session_after_the_last_one_allowed_may_begin_a_minute_after_the_first() -> None:
    places = KeyPlaces(KeyLimits(max_new_per_minute=2))
    begin_and_end(places, "alice", 100)
    begin_and_end(places, "alice", 130)
    with pytest.raises(TooManyNewSessions, match="at most 2 a minute may begin; try again in 1 s"):
        begin_and_end(places, "alice", 159.99)
    begin_and_end(places, "alice", 160)
    with pytest.raises(TooManyNewSessions, match="try again in 30 s"):
        begin_and_end(places, "alice", 160)


def test_a_minute_that_begins_in_the_middle_of_another_allows_no_more() -> None:
    places = KeyPlaces(KeyLimits(max_new_per_minute=2))
    for seconds in (59, 59.5):
        begin_and_end(places, "alice", seconds)
    for seconds in (60, 61, 118.9):
        with pytest.raises(TooManyNewSessions):
            begin_and_end(places, "alice", seconds)


def test_one_key_does_not_use_up_the_minute_of_another() -> None:
    places = KeyPlaces(KeyLimits(max_new_per_minute=1))
    begin_and_end(places, "alice", 0)
    begin_and_end(places, "bob", 0)
    with pytest.raises(TooManyNewSessions):
        begin_and_end(places, "bob", 1)


def test_who_is_refused_is_not_counted() -> None:
    places = KeyPlaces(KeyLimits(max_sessions=1, max_new_per_minute=2))
    with places.place("alice", at(0)):
        for _ in range(10):
            with pytest.raises(TooManySessionsOfKey):
                begin_and_end(places, "alice", 1)
    begin_and_end(places, "alice", 2)
    for _ in range(10):
        with pytest.raises(TooManyNewSessions):
            begin_and_end(places, "alice", 59)
    begin_and_end(places, "alice", 60)


def test_keys_that_are_idle_are_forgotten() -> None:
    places = KeyPlaces(KeyLimits(max_sessions=1, max_new_per_minute=1))
    for number in range(1000):
        begin_and_end(places, f"key {number}", 0)
    begin_and_end(places, "alice", WINDOW_S)
    assert places.remembered == 2
    for number in range(1000):
        with pytest.raises(TooManySessionsOfKey), places.place(f"key {number}", at(2 * WINDOW_S)):
            begin_and_end(places, f"key {number}", 2 * WINDOW_S)
    begin_and_end(places, "alice", 3 * WINDOW_S)
    assert places.remembered == 2


def test_without_limits_nothing_is_remembered() -> None:
    places = KeyPlaces(KeyLimits())
    for number in range(1000):
        begin_and_end(places, f"key {number}", 0)
    assert places.remembered == 0


class SessionsComeAndGo(RuleBasedStateMachine):
    """A few keys, sessions that begin and end in any order, and a clock; the model is a plain list of what happened."""

    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.limits = KeyLimits(max_sessions=2, max_new_per_minute=3)
        self.places = KeyPlaces(self.limits)
        self.now = 0.0
        self.began: list[tuple[str, float]] = []
        self.running: list[str] = []

    @rule(seconds=st.sampled_from([0.25, 1.0, 30.0, 59.75, 60.0, 600.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=sessions, key=st.sampled_from(KEYS))
    def a_session_wants_to_begin(self, key: str) -> tuple[str, AbstractContextManager[None] | None]:
        recent = [begun for begun, when in self.began if begun == key and self.now - when < WINDOW_S]
        place = self.places.place(key, at(self.now))
        if self.running.count(key) >= 2:
            with pytest.raises(TooManySessionsOfKey):
                place.__enter__()
        elif len(recent) >= 3:
            with pytest.raises(TooManyNewSessions):
                place.__enter__()
        else:
            place.__enter__()
            self.began.append((key, self.now))
            self.running.append(key)
            return key, place
        return key, None

    @rule(session=consumes(sessions), fails=st.booleans())
    def a_session_ends(self, session: tuple[str, AbstractContextManager[None] | None], fails: bool) -> None:
        key, place = session
        if place is None:
            return
        error = ZeroDivisionError() if fails else None
        assert not place.__exit__(type(error) if error else None, error, None)
        self.running.remove(key)

    @invariant()
    def places_are_held_by_running_sessions_alone(self) -> None:
        assert [self.places.active(key) for key in KEYS] == [self.running.count(key) for key in KEYS]

    @invariant()
    def no_more_is_remembered_than_keys_and_their_limits(self) -> None:
        assert self.places.remembered <= len(KEYS) * (3 + 1 + 1)


TestSessionsComeAndGo = SessionsComeAndGo.TestCase
TestSessionsComeAndGo.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
