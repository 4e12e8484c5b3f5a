"""An engine of this process behind the face of a client's session: the same messages, without a server or a socket.

Rules: audio is taken AHEAD_MS ahead of the engine at most, so that Ctrl+C is over soon. What the engine hears goes
through the server's own protocol, so both ways say the same.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tympan.core.config import SessionConfig
from tympan.core.effects import Finish
from tympan.core.events import Event, SessionEnded
from tympan.core.listening import ListenerOutput, ListeningFailed
from tympan.core.received import received_audio
from tympan.core.units import StreamMs
from tympan.engines.base import Recognizer
from tympan.formatting.pipeline import EnglishWording
from tympan.runtime.link import LocalLink
from tympan.wire.v3.client import decode_message
from tympan.wire.v3.messages import ServerMessage, UnknownServerMessage
from tympan.wire.v3.params import ConnectionOptions
from tympan.wire.v3.server import V3ServerProtocol

AHEAD_MS = 2_000

_ID = "local"


@asynccontextmanager
async def local_session(recognizer: Recognizer, config: SessionConfig) -> AsyncIterator[LocalSession]:
    """A session with this engine; its stream and its thread end with the block."""
    link = LocalLink(recognizer, worker_count=1)
    try:
        session = LocalSession(link, config)
        link.open(_ID, config, session.deliver)
        yield session
    finally:
        link.shut_down()


class LocalSession:
    """One task may send while another iterates."""

    def __init__(self, link: LocalLink, config: SessionConfig) -> None:
        self._link = link
        self._protocol = V3ServerProtocol(config, ConnectionOptions(), EnglishWording())
        self._loop = asyncio.get_running_loop()
        self._outputs: asyncio.Queue[ListenerOutput] = asyncio.Queue()
        self._progress = asyncio.Event()
        self._began_s = time.monotonic()
        self._fed = received_audio(config.audio)
        self._judged_until_ms = StreamMs(0)

    def deliver(self, output: ListenerOutput) -> None:
        """Called from the engine's thread."""
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._hear, output)

    async def send_audio(self, payload: bytes) -> None:
        """Give one chunk; waits while the engine is behind."""
        self._link.feed(_ID, payload)
        self._fed.receive(payload, longest_ms=math.inf)
        while self._fed.position_ms - self._judged_until_ms > AHEAD_MS:
            self._progress.clear()
            await self._progress.wait()

    async def terminate(self) -> None:
        """No more audio: the open turn ends, and iteration stops."""
        self._link.mark(_ID, Finish())

    async def __aiter__(self) -> AsyncIterator[ServerMessage]:
        """What a server would say after `Begin`, up to and with `Termination`.

        Raises:
            EngineError: the engine failed.
        """
        is_finished = False
        while not is_finished:
            output = await self._outputs.get()
            if isinstance(output, ListeningFailed):
                raise output.error
            is_finished = output.is_finished
            ended = (self._ended(),) if is_finished else ()
            for event in (*output.events, *ended):
                for message in self._messages(event):
                    yield message

    def _hear(self, output: ListenerOutput) -> None:
        if not isinstance(output, ListeningFailed):
            self._judged_until_ms = output.judged_until_ms
        self._progress.set()
        self._outputs.put_nowait(output)

    def _ended(self) -> SessionEnded:
        return SessionEnded(round(self._fed.position_ms / 1000), round(time.monotonic() - self._began_s))

    def _messages(self, event: Event) -> list[ServerMessage]:
        decoded = map(decode_message, self._protocol.messages_for(event))
        return [message for message in decoded if not isinstance(message, UnknownServerMessage)]
