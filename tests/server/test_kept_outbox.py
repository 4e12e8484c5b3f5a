"""What waits for a client that may be told again, and how its readers take turns."""

from __future__ import annotations

import asyncio

from tympan.core.kept_messages import KeptMessages
from tympan.server.kept_outbox import KeptOutbox


def waiting(outbox: KeptOutbox) -> list[str]:
    return list(iter(outbox.take, None))


def test_no_partial_gives_way_to_the_next() -> None:
    outbox = KeptOutbox(KeptMessages(max_bytes=12))
    for text in ("1234", "a", "ab", "abc"):
        outbox.put(text, is_partial=True)
    assert waiting(outbox) == ["1234", "a", "ab", "abc"]


def test_another_reader_is_told_what_the_client_lacks_and_then_it_is_done() -> None:
    outbox = KeptOutbox()
    outbox.put("one")
    outbox.put("two")
    outbox.finish()
    outbox.put("too late")
    assert waiting(outbox) == ["one", "two"]
    assert outbox.is_done
    outbox.rewind(1)
    assert not outbox.is_done
    assert waiting(outbox) == ["two"]
    assert outbox.kept_bytes == 3
    outbox.acknowledge(2)
    assert outbox.kept_bytes == 0


def test_a_reader_that_was_to_be_told_a_forgotten_message_is_overfull() -> None:
    outbox = KeptOutbox(KeptMessages(max_bytes=4))
    outbox.put("1234")
    assert not outbox.is_overfull
    outbox.put("5")
    assert outbox.is_overfull


def test_an_abandoned_outbox_is_done_at_once_and_holds_nothing() -> None:
    outbox = KeptOutbox()
    outbox.put("unread")
    outbox.abandon()
    assert outbox.is_done
    assert outbox.kept_bytes == 0


def test_waiting_ends_with_a_message_the_end_or_the_timeout() -> None:
    async def wait() -> None:
        outbox = KeptOutbox()
        await outbox.wait(0)
        asyncio.get_running_loop().call_soon(outbox.put, "now")
        await outbox.wait(None)
        assert outbox.take() == "now"
        asyncio.get_running_loop().call_soon(outbox.finish)
        await outbox.wait(None)

    asyncio.run(wait())
