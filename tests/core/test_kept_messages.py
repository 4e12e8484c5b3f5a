"""Every connection of a session is told the same messages under the same numbers, or told that it can't be."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tympan.core.errors import BadParameter, NotResumable
from tympan.core.kept_messages import KeptMessages


def kept(*texts: str, max_bytes: int = 100) -> KeptMessages:
    messages = KeptMessages(max_bytes)
    for text in texts:
        messages.put(text)
    return messages


def taken(messages: KeptMessages) -> list[str]:
    return list(iter(messages.take, None))


def test_messages_are_taken_in_order_and_kept() -> None:
    messages = kept("a", "bc")
    assert not messages.is_taken
    assert taken(messages) == ["a", "bc"]
    assert messages.is_taken
    assert messages.kept_bytes == 3


def test_another_connection_takes_what_the_client_lacks() -> None:
    messages = kept("a", "b", "c")
    taken(messages)
    messages.rewind(1)
    messages.put("d")
    assert taken(messages) == ["b", "c", "d"]


def test_acknowledged_messages_are_forgotten() -> None:
    messages = kept("a", "b", "c")
    taken(messages)
    messages.acknowledge(2)
    messages.acknowledge(1)  # late news
    assert messages.kept_bytes == 1
    with pytest.raises(NotResumable, match="kept from number 2 on, not from 1"):
        messages.rewind(1)
    messages.rewind(2)
    assert taken(messages) == ["c"]


@pytest.mark.parametrize("count", [-1, 2])
def test_an_acknowledgement_of_what_was_never_sent_is_an_error(count: int) -> None:
    messages = kept("a", "b")
    messages.take()
    with pytest.raises(BadParameter, match=f"Invalid 'messages': 1 were sent, not {count}"):
        messages.acknowledge(count)


def test_a_client_that_received_more_than_was_sent_can_not_go_on() -> None:
    messages = kept("a", "b")
    messages.take()
    with pytest.raises(NotResumable, match="1 messages were sent, not 2"):
        messages.rewind(2)


def test_the_oldest_messages_are_forgotten_where_too_much_is_kept() -> None:
    messages = kept("aaaa", "bbbb", max_bytes=10)
    taken(messages)
    messages.put("cccc")
    assert messages.kept_bytes == 8
    with pytest.raises(NotResumable):
        messages.rewind(0)
    messages.rewind(1)
    assert taken(messages) == ["bbbb", "cccc"]


def test_a_connection_that_was_to_be_told_a_forgotten_message_is_broken() -> None:
    messages = kept("aaaa", "bbbb", max_bytes=10)
    assert not messages.is_broken
    messages.put("cccc")
    assert messages.is_broken
    assert messages.take() is None


class KeptMessagesMachine(RuleBasedStateMachine):
    """A client that counts what it receives, over connections that break, beside a list of everything."""

    ROOM = 300

    def __init__(self) -> None:
        super().__init__()
        self.messages = KeptMessages(self.ROOM)
        self.told: list[str] = []
        self.received: list[str] = []  # what the client has, of which the connection may have lost the newest
        self.in_flight: list[str] = []

    @rule(length=st.integers(1, 80))
    def tells(self, length: int) -> None:
        text = f"{len(self.told)}:".ljust(length, "x")
        self.told.append(text)
        self.messages.put(text)

    @rule()
    def sends_one(self) -> None:
        text = self.messages.take()
        if text is not None:
            self.in_flight.append(text)

    @rule(count=st.integers(0, 5))
    def arrive(self, count: int) -> None:
        self.received += self.in_flight[:count]
        self.in_flight = self.in_flight[count:]

    @rule()
    def acknowledges(self) -> None:
        self.messages.acknowledge(len(self.received))

    @rule()
    def breaks_and_resumes(self) -> None:
        self.in_flight = []
        try:
            self.messages.rewind(len(self.received))
        except NotResumable:
            missing = self.told[len(self.received) :]
            assert sum(map(len, missing)) > self.ROOM, "what fits is never refused"
            self.__init__()  # type: ignore[misc]  # the client opens a new session

    @invariant()
    def the_client_has_a_beginning_of_what_was_told(self) -> None:
        got = self.received + self.in_flight
        assert got == self.told[: len(got)]

    @invariant()
    def the_bound_holds(self) -> None:
        assert self.messages.kept_bytes <= self.ROOM


TestAnyUse = KeptMessagesMachine.TestCase
TestAnyUse.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
