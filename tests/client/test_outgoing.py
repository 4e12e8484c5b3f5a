"""What a caller says is kept until it is settled, and sent from wherever a connection begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.client.outgoing import Outgoing
from tympan.core.audio import AudioFormat, Encoding
from tympan.core.errors import ProtocolError, ReplayFull
from tympan.core.replay import Position
from tympan.wire.v3.messages import ForceEndpoint, KeepAlive, Terminate, UpdateConfiguration

TELEPHONE = AudioFormat(Encoding.PCM_MULAW, 8_000)
"""8 bytes a millisecond."""
MS = b"\0" * 8


def outgoing(*, max_kept_ms: int = 1000, keeps_sent: bool = True) -> Outgoing:
    return Outgoing(TELEPHONE, max_kept_ms=max_kept_ms, keeps_sent=keeps_sent)


def drain(it: Outgoing) -> list[object]:
    taken: list[object] = []
    while (item := it.take()) is not None:
        taken.append(item)
    return taken


def test_things_are_sent_in_the_order_in_which_they_were_offered() -> None:
    it = outgoing()
    it.offer_audio(b"one")
    it.offer_control(ForceEndpoint())
    it.offer_audio(b"two")

    assert drain(it) == [b"one", ForceEndpoint(), b"two"]
    assert it.take() is None


def test_what_the_server_has_is_released_in_whole_chunks_and_the_rest_can_still_be_sent() -> None:
    it = outgoing()
    for chunk in (b"one", b"two", b"three"):
        it.offer_audio(chunk)
        it.offer_control(ForceEndpoint())
    for _ in range(4):
        it.take()
    it.release(Position(4, 1))
    with pytest.raises(ProtocolError):
        it.resume_at(Position(0, 0))
    it.resume_at(Position(6, 1))
    assert drain(it) == [ForceEndpoint(), b"three", ForceEndpoint()]


def test_a_server_that_claims_more_than_it_was_sent_costs_nothing() -> None:
    it = outgoing()
    it.offer_audio(b"one")
    it.take()
    it.offer_audio(b"two")
    it.release(Position(1_000, 1_000))
    it.resume_at(Position(3, 0))
    assert drain(it) == [b"two"]


def test_without_a_server_that_keeps_anything_all_that_was_sent_is_released() -> None:
    it = outgoing()
    it.offer_audio(b"one")
    it.offer_audio(b"two")
    it.take()
    it.release(None)
    assert it.begin_again() == Position(3, 0)


def test_a_new_session_is_sent_all_that_is_not_settled() -> None:
    it = outgoing()
    it.offer_audio(MS * 10)
    it.offer_control(ForceEndpoint())
    it.offer_audio(MS * 10)
    drain(it)
    it.settle(4)

    assert it.begin_again() == Position(32, 0)
    assert (it.start_ms, it.sent_ms, it.offered_ms, it.unsettled_ms) == (4, 4, 20, 0)
    assert drain(it) == [MS * 6, ForceEndpoint(), MS * 10]


def test_some_settled_audio_may_be_kept_for_a_session_that_begins_before() -> None:
    it = outgoing()
    it.offer_audio(MS * 10)
    drain(it)
    it.settle(7, keep_ms=3)
    assert (it.start_ms, it.unsettled_ms) == (4, 0)

    it.configuration_at(5)
    it.begin_again()
    assert drain(it) == [MS * 5]


def test_audio_that_was_not_sent_is_never_settled() -> None:
    it = outgoing()
    it.offer_audio(MS * 10)
    it.settle(500)

    it.begin_again()

    assert drain(it) == [MS * 10]


def test_a_resumed_session_goes_on_where_it_stood() -> None:
    it = outgoing()
    it.offer_audio(b"one")
    it.offer_control(KeepAlive())
    it.offer_control(ForceEndpoint())
    drain(it)

    it.resume_at(Position(2, 1))
    assert drain(it) == [b"e", ForceEndpoint()]
    with pytest.raises(ProtocolError):
        it.resume_at(Position(4, 1))


def test_what_was_sent_makes_room_and_the_loss_is_counted() -> None:
    it = outgoing(max_kept_ms=10)
    it.offer_audio(MS * 10)
    assert not it.has_room(8)
    with pytest.raises(ReplayFull):
        it.offer_audio(MS)
    drain(it)
    it.settle(2)
    assert it.has_room(8 * 10)

    it.offer_audio(MS * 5)

    assert (it.start_ms, it.unsettled_ms) == (6, 4)
    assert not it.has_room(8 * 6)


def test_while_there_is_no_connection_nothing_makes_room() -> None:
    it = outgoing(max_kept_ms=10)
    it.offer_audio(MS * 10)
    drain(it)
    it.may_release = False

    assert not it.has_room(8)


def test_where_no_connection_follows_nothing_is_kept() -> None:
    it = outgoing(max_kept_ms=10, keeps_sent=False)
    for _ in range(100):
        it.offer_audio(MS * 9)
        assert drain(it) == [MS * 9]
    assert it.start_ms == 900


def test_changes_before_what_is_kept_are_parameters_and_later_ones_win() -> None:
    it = outgoing()
    it.offer_control(UpdateConfiguration(max_turn_silence=700, min_end_of_turn_silence_when_confident=300))
    it.offer_control(ForceEndpoint())
    it.offer_audio(MS * 5)
    it.offer_control(UpdateConfiguration(max_turn_silence=800))
    it.offer_audio(MS * 5)
    drain(it)
    assert it.configuration_at(0) == {}

    assert it.configuration_at(1) == {"max_turn_silence": 700, "min_turn_silence": 300}
    assert it.configuration_at(6) == {"max_turn_silence": 800, "min_turn_silence": 300}


def test_terminate_counts_as_sent_only_on_the_connection_that_was_sent_it() -> None:
    it = outgoing()
    it.offer_audio(MS)
    it.offer_control(Terminate())
    assert not it.has_sent_terminate
    drain(it)
    assert it.has_sent_terminate

    it.begin_again()
    assert not it.has_sent_terminate
    it.resume_at(Position(8, 1))
    assert it.has_sent_terminate


@given(
    st.lists(st.one_of(st.integers(1, 40), st.just("force"), st.integers(-40, -1)), max_size=30), st.integers(0, 200)
)
def test_a_new_session_gets_everything_from_its_first_byte_on(steps: list[int | str], settled_ms: int) -> None:
    it = outgoing(max_kept_ms=10_000)
    said: list[object] = []
    for step in steps:
        if step == "force":
            it.offer_control(ForceEndpoint())
            said.append("force")
        elif isinstance(step, int) and step > 0:
            payload = bytes([len(said) % 256]) * step
            it.offer_audio(payload)
            said.extend(payload)
        else:
            it.take()
    it.settle(settled_ms)

    start = it.begin_again()
    sent = [item for part in drain(it) for item in (part if isinstance(part, bytes) else ["force"])]

    dropped_forces = start.messages
    at = [index for index, item in enumerate(said) if item != "force"]
    begins = at[start.audio_bytes] if start.audio_bytes < len(at) else len(said)
    kept_forces = sum(item == "force" for item in said) - dropped_forces
    assert [item for item in sent if item != "force"] == [item for item in said[begins:] if item != "force"]
    assert sum(item == "force" for item in sent) == kept_forces
    assert sent[-1:] == said[-1:] or not sent
