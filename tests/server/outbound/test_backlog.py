"""Deliveries that wait: fair between receivers, bounded, tried again, and none is ever lost track of."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tympan.core.units import Monotonic
from tympan.server.outbound.attempts import RetryPolicy
from tympan.server.outbound.backlog import (
    LONGEST_QUIET_S,
    MAX_RUNNING,
    MAX_RUNNING_PER_RECEIVER,
    OVERHEAD_BYTES,
    Backlog,
    Delivery,
)
from tympan.wire.v3.webhook import Webhook

ROOM = 6
"""Deliveries with an empty body that the backlogs here keep."""


def at(seconds: float) -> Monotonic:
    return Monotonic(seconds)


def delivery(receiver: str = "a:80", *, added_s: float = 0, body: bytes = b"") -> Delivery:
    return Delivery("session", receiver, Webhook("http://" + receiver), body, at(added_s), at(added_s))


def backlog(*deliveries: Delivery, policy: RetryPolicy | None = None) -> Backlog:
    made = Backlog(policy, max_bytes=ROOM * OVERHEAD_BYTES)
    for one in deliveries:
        assert made.receive_delivery(one) == []
    return made


def test_a_delivery_is_attempted_at_once_and_then_waits_for_its_outcome() -> None:
    one = delivery()
    made = backlog(one)
    assert made.deadline() == 0
    assert made.advance(at(0)) == [one]
    assert made.advance(at(100)) == []
    assert made.deadline() is None
    made.receive_done(one)
    assert made.count == 0


def test_one_that_failed_is_tried_again_when_its_delay_is_over() -> None:
    one = delivery()
    made = backlog(one, policy=RetryPolicy(first_delay_s=1, max_attempts=2))
    made.advance(at(0))
    assert made.receive_failed(one, at(5), chance=1)
    assert made.deadline() == 6
    assert made.advance(at(5.9)) == []
    assert made.advance(at(6)) == [one]
    assert not made.receive_failed(one, at(7), chance=1), "it was the second"
    assert (made.count, made.deadline()) == (0, None)


def test_a_receiver_that_failed_is_left_alone_longer_each_time_until_it_is_there() -> None:
    made = backlog(*(delivery(added_s=n / 10) for n in range(ROOM)))
    now, quiet = 10.0, []
    for _ in range(3):
        for one in made.advance(at(now)):
            made.receive_failed(one, at(now), chance=1)
        until = made.deadline()
        assert until is not None
        assert made.advance(at(until - 0.01)) == []
        quiet.append(until - now)
        now = until
    assert quiet == [1, 2, 4]
    first, *others = made.advance(at(now))
    made.receive_done(first)
    for one in others:
        made.receive_failed(one, at(now), chance=1)
    assert made.deadline() == now + 1, "it was there, so it begins anew"


def test_a_receiver_that_is_dead_for_long_is_asked_now_and_then() -> None:
    made = Backlog(RetryPolicy(max_attempts=1000, give_up_after_s=1e6))
    for _ in range(100):
        made.receive_delivery(delivery())
    now, attempts = 0.0, 0
    while now < 3600:
        started = made.advance(at(now))
        attempts += len(started)
        for one in started:
            made.receive_failed(one, at(now + 10), chance=0.5)
        deadline = made.deadline()
        assert deadline is not None
        assert deadline <= now + 10 + LONGEST_QUIET_S
        now = max(deadline, now + 10)
    assert attempts < 3600 / 30 * MAX_RUNNING_PER_RECEIVER + 40


def test_a_receiver_that_asks_for_time_gets_it() -> None:
    one = delivery()
    made = backlog(one)
    made.advance(at(0))
    made.receive_failed(one, at(0), chance=0, retry_after_s=60)
    assert made.deadline() == 60
    other = delivery(added_s=1)
    made.receive_delivery(other)
    assert made.deadline() == LONGEST_QUIET_S
    assert made.advance(at(59)) == [other], "what is for another address there waits less"


def test_one_that_is_too_old_is_not_tried_again() -> None:
    one = delivery()
    made = backlog(one, policy=RetryPolicy(give_up_after_s=10))
    made.advance(at(0))
    assert not made.receive_failed(one, at(10), chance=1)


def test_a_dead_receiver_takes_no_turn_from_another() -> None:
    crowd = [delivery("dead:80", added_s=n / 100) for n in range(300)]
    late = delivery("well:80", added_s=50)
    made = Backlog()
    for one in (*crowd, late):
        made.receive_delivery(one)
    started = made.advance(at(60))
    assert late in started[:2]
    assert [one for one in started if one is not late] == crowd[:MAX_RUNNING_PER_RECEIVER], "oldest first"


def test_no_more_than_some_run_at_once_and_those_with_fewer_come_first() -> None:
    made = Backlog()
    for number in range(100):
        made.receive_delivery(delivery(f"r{number % 20}:80", added_s=number))
    started = made.advance(at(1000))
    assert len(started) == MAX_RUNNING
    running = [sum(one.receiver == f"r{number}:80" for one in started) for number in range(20)]
    assert max(running) - min(running) <= 1
    assert made.deadline() is None
    made.receive_done(started[0])
    assert made.deadline() is not None


def test_where_there_is_no_room_the_receiver_with_most_loses_its_newest() -> None:
    crowd = [delivery("dead:80", added_s=n) for n in range(ROOM)]
    made = backlog(*crowd)
    well = delivery("well:80", added_s=9)
    assert made.receive_delivery(well) == [crowd[-1]]
    newest = delivery("dead:80", added_s=10)
    assert made.receive_delivery(newest) == [newest]
    assert made.count == ROOM


def test_what_is_in_an_attempt_is_not_taken_away() -> None:
    crowd = [delivery("dead:80", added_s=n, body=bytes(OVERHEAD_BYTES)) for n in range(ROOM // 2)]
    made = backlog(*crowd)
    running = made.advance(at(100))
    assert len(running) == ROOM // 2
    other = delivery("well:80", added_s=100)
    assert made.receive_delivery(other) == [other], "nothing else waits"


def test_in_a_hurry_everything_that_waits_is_due() -> None:
    one = delivery()
    made = backlog(one)
    made.advance(at(0))
    made.receive_failed(one, at(0), chance=1)
    made.receive_hurry(at(0.1))
    assert made.advance(at(0.1)) == [one]


def test_in_a_hurry_a_failure_costs_no_other_its_attempt() -> None:
    first, *others = deliveries = [delivery() for _ in range(MAX_RUNNING_PER_RECEIVER + 2)]
    made = backlog(*deliveries)
    made.receive_hurry(at(0))
    assert made.advance(at(0)) == deliveries[:MAX_RUNNING_PER_RECEIVER]
    assert made.receive_failed(first, at(0.1), chance=1)
    assert made.advance(at(0.1)) == [others[MAX_RUNNING_PER_RECEIVER - 1]]


def test_closing_gives_up_what_waits_and_what_runs() -> None:
    one, other = delivery(), delivery("b:80", added_s=5)
    made = backlog(one, other)
    made.advance(at(0))
    assert made.close() == [one, other]
    assert made.close() == []
    assert (made.count, made.running_count, made.deadline()) == (0, 0, None)


class Traffic(RuleBasedStateMachine):
    """Whatever happens in whatever order, each delivery is in exactly one place, and all bounds hold."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.backlog = Backlog(RetryPolicy(max_attempts=3), max_bytes=ROOM * OVERHEAD_BYTES)
        self.kept: set[int] = set()
        self.running: list[Delivery] = []

    @rule(receiver=st.sampled_from(["a:80", "b:80", "c:80"]), size=st.integers(0, 3 * OVERHEAD_BYTES))
    def a_session_ends(self, receiver: str, size: int) -> None:
        one = delivery(receiver, added_s=self.now, body=bytes(size))
        self.kept.add(id(one))
        self._pin = [*getattr(self, "_pin", []), one]
        for dropped in self.backlog.receive_delivery(one):
            assert dropped not in self.running
            self.kept.remove(id(dropped))

    @rule(seconds=st.floats(0, 5))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for one in self.backlog.advance(at(self.now)):
            assert one.due_at <= self.now
            assert id(one) in self.kept
            self.running.append(one)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), chance=st.floats(0, 1))
    def an_attempt_fails(self, data: st.DataObject, chance: float) -> None:
        one = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        if not self.backlog.receive_failed(one, at(self.now), chance):
            self.kept.remove(id(one))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def an_attempt_settles(self, data: st.DataObject) -> None:
        one = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.backlog.receive_done(one)
        self.kept.remove(id(one))

    @invariant()
    def all_is_accounted_for(self) -> None:
        assert self.backlog.count == len(self.kept)
        assert self.backlog.running_count == len(self.running) <= MAX_RUNNING
        receivers = [one.receiver for one in self.running]
        assert all(receivers.count(receiver) <= MAX_RUNNING_PER_RECEIVER for receiver in receivers)

    @invariant()
    def what_is_due_can_start(self) -> None:
        deadline = self.backlog.deadline()
        assert deadline is None or self.backlog.count > self.backlog.running_count

    def teardown(self) -> None:
        assert {id(one) for one in self.backlog.close()} == self.kept


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
