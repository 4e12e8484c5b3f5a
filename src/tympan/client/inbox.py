"""Inbox: events on their way to the caller. No sockets; one side puts, the other takes.

Policy: nothing is dropped. Where `MAX_WAITING` events or `MAX_WAITING_CHARS` wait, whoever puts waits too, so that a
caller who doesn't read slows the server down. A caller who leaves says so with `discard`, and nothing is kept from
then on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

from tympan.client.errors import ClientError
from tympan.client.events import Event
from tympan.wire.v3.messages import LLMGatewayResponse, ServerWarning, Turn

MAX_WAITING = 4096
"""About an hour of partials."""

MAX_WAITING_CHARS = 8_388_608
"""Ten times what those hold; a server that says more at once is not one that listens to speech."""

_ITEM_CHARS = 100
"""What a word, or a value in an answer, takes in memory besides its text."""


class Inbox:
    """A bounded queue that ends, well or with an error."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Event, int]] = deque()  # and its size in characters
        self._waiting_chars = 0
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._is_discarding = False
        self.is_finished = False
        self.failure: ClientError | None = None
        self.was_told_failure = False

    def put(self, events: Iterable[Event]) -> None:
        """Add events, in order. Ask `wait_for_room` before the next ones."""
        if not self._is_discarding:
            for event in events:
                size = _size_of(event)
                self._waiting.append((event, size))
                self._waiting_chars += size
            self._changed.set()

    async def wait_for_room(self) -> None:
        """Return when the caller has read enough."""
        while len(self._waiting) >= MAX_WAITING or self._waiting_chars >= MAX_WAITING_CHARS:
            self._taken.clear()
            await self._taken.wait()

    def finish(self, failure: ClientError | None = None) -> None:
        """Nothing comes after what waits now. The first call counts."""
        if not self.is_finished:
            self.is_finished, self.failure = True, failure
        self._changed.set()

    def discard(self) -> None:
        """Nobody takes anything any more."""
        self._is_discarding = True
        self._waiting.clear()
        self._waiting_chars = 0
        self._taken.set()

    async def take(self) -> Event | None:
        """The next event; None when there will be none.

        Raises:
            ClientError: there will be none because of it. Every call from then on raises it.
        """
        while not self._waiting:
            if self.failure is not None:
                self.was_told_failure = True
                raise self.failure
            if self.is_finished:
                return None
            self._changed.clear()
            await self._changed.wait()
        self._taken.set()
        event, size = self._waiting.popleft()
        self._waiting_chars -= size
        return event


def _size_of(event: Event) -> int:
    match event:
        case Turn(transcript=transcript, words=words):
            return len(transcript) + sum(len(word.text) + _ITEM_CHARS for word in words)
        case ServerWarning(warning=warning):
            return len(warning)
        case LLMGatewayResponse(transcript=transcript, data=data):
            return len(transcript) + _size_of_json(data)
        case _:
            return 0


def _size_of_json(document: Any) -> int:
    """Not by recursion: it may be nested as deep as its reader allows."""
    size, waiting = 0, [document]
    while waiting:
        value = waiting.pop()
        size += _ITEM_CHARS + (len(value) if isinstance(value, str) else 0)
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
    return size
