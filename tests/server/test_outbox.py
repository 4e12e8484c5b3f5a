"""What waits for a slow client, and what doesn't."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tympan.server.outbox import Outbox


def waiting(outbox: Outbox) -> list[str]:
    return list(iter(outbox.take, None))


def test_a_client_that_keeps_up_is_told_every_partial() -> None:
    outbox = Outbox(max_bytes=12)
    outbox.put("a", is_partial=True)
    outbox.put("ab", is_partial=True)
    assert waiting(outbox) == ["a", "ab"]


def test_a_partial_that_waits_in_a_crowd_is_replaced_by_the_next() -> None:
    outbox = Outbox(max_bytes=12)
    outbox.put("1234")
    outbox.put("a", is_partial=True)
    outbox.put("ab", is_partial=True)
    outbox.put("final")
    assert waiting(outbox) == ["1234", "ab", "final"]


@given(st.lists(st.booleans(), max_size=90))
def test_finals_are_never_dropped_and_keep_their_order(is_partial: list[bool]) -> None:
    outbox = Outbox(max_bytes=400)
    outbox.put("0" * 101)
    for number, partial in enumerate(is_partial, start=1):
        outbox.put(str(number), is_partial=partial)
    told = [int(text) for text in waiting(outbox)]
    was_partial = [False, *is_partial]
    assert told == sorted(told)
    assert [number for number, partial in enumerate(was_partial) if not partial] == [
        number for number in told if not was_partial[number]
    ]
    assert not any(was_partial[one] and was_partial[other] for one, other in pairwise(told))


def test_more_than_fits_is_said_and_no_more_is_taken() -> None:
    outbox = Outbox(max_bytes=4)
    outbox.put("1234")
    assert not outbox.is_overfull
    outbox.put("5")
    outbox.put("6")
    assert outbox.is_overfull
    assert waiting(outbox) == ["1234", "5"]


def test_taking_makes_room() -> None:
    outbox = Outbox(max_bytes=4)
    for _ in range(10):
        outbox.put("1234")
        outbox.take()
    assert not outbox.is_overfull


def test_it_is_done_when_finished_and_empty() -> None:
    outbox = Outbox()
    outbox.put("last")
    outbox.finish()
    outbox.put("too late")
    assert not outbox.is_done
    assert waiting(outbox) == ["last"]
    assert outbox.is_done


def test_an_abandoned_outbox_is_done_at_once() -> None:
    outbox = Outbox()
    outbox.put("unread")
    outbox.abandon()
    assert outbox.is_done


def test_waiting_ends_with_a_message_the_end_or_the_timeout() -> None:
    async def wait() -> None:
        outbox = Outbox()
        await outbox.wait(0)
        asyncio.get_running_loop().call_soon(outbox.put, "now")
        await outbox.wait(None)
        assert outbox.take() == "now"
        asyncio.get_running_loop().call_soon(outbox.finish)
        await outbox.wait(None)
        await outbox.wait(None)

    asyncio.run(wait())
