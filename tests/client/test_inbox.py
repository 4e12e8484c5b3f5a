"""Events wait for the caller: all of them, in order, with a bound that holds the server up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tympan.client.errors import NetworkError
from tympan.client.inbox import MAX_WAITING, MAX_WAITING_CHARS, Inbox
from tympan.wire.v3.messages import LLMGatewayResponse, SpeechStarted


def events(count: int) -> list[SpeechStarted]:
    return [SpeechStarted(index) for index in range(count)]


def run(scene: Callable[[Inbox], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scene(Inbox())

    asyncio.run(bounded())


def test_events_come_out_as_they_went_in_and_then_the_end() -> None:
    async def scene(inbox: Inbox) -> None:
        inbox.put(events(2))
        inbox.finish()
        assert [await inbox.take() for _ in range(4)] == [*events(2), None, None]

    run(scene)


def test_a_failure_comes_after_what_was_told_before_it_and_stays() -> None:
    async def scene(inbox: Inbox) -> None:
        inbox.put(events(1))
        inbox.finish(NetworkError("lost"))
        inbox.finish()
        assert await inbox.take() == SpeechStarted(0)
        assert not inbox.was_told_failure
        for _ in range(2):
            with pytest.raises(NetworkError, match="lost"):
                await inbox.take()
        assert inbox.was_told_failure

    run(scene)


def test_whoever_takes_waits_for_the_next_event() -> None:
    async def scene(inbox: Inbox) -> None:
        taking = asyncio.create_task(inbox.take())
        await asyncio.sleep(0)
        inbox.put(events(1))
        assert await taking == SpeechStarted(0)

    run(scene)


def test_where_too_much_waits_the_other_side_waits_too() -> None:
    async def scene(inbox: Inbox) -> None:
        await inbox.wait_for_room()
        inbox.put(events(MAX_WAITING))
        waiting = asyncio.create_task(inbox.wait_for_room())
        await asyncio.sleep(0)
        assert not waiting.done()
        await inbox.take()
        await waiting

    run(scene)


@pytest.mark.parametrize(
    "data",
    [{"choices": ["a" * MAX_WAITING_CHARS]}, {"a" * MAX_WAITING_CHARS: None}, [[]] * (MAX_WAITING_CHARS // 100)],
    ids=["a long text", "a long name", "many small values"],
)
def test_answers_of_a_language_model_count_by_what_they_hold(data: object) -> None:
    async def scene(inbox: Inbox) -> None:
        inbox.put([LLMGatewayResponse(0, "Hello.", {"id": "short"})])
        await inbox.wait_for_room()
        inbox.put([LLMGatewayResponse(1, "Hello.", data)])
        waiting = asyncio.create_task(inbox.wait_for_room())
        await asyncio.sleep(0)
        assert not waiting.done()
        await inbox.take()
        await inbox.take()
        await waiting

    run(scene)


def test_a_caller_who_leaves_holds_nobody_up() -> None:
    async def scene(inbox: Inbox) -> None:
        inbox.put(events(MAX_WAITING))
        waiting = asyncio.create_task(inbox.wait_for_room())
        await asyncio.sleep(0)
        inbox.discard()
        await waiting
        inbox.put(events(1))
        inbox.finish()
        assert await inbox.take() is None

    run(scene)
