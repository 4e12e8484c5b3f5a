"""One conversation: a source's audio to a service, what the service says to a watcher. Shell of `TurnLedger`.

Rules:
- Sending and receiving run side by side; the first failure ends both, and is the error.
- Ctrl+C and a microphone that fails end the audio, not the conversation: what was captured is finished, and the
  last turn is told, within FINISH_S. A second Ctrl+C ends at once.
- Whatever happens, words that were heard are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

from tympan.cli.interrupts import Interrupts
from tympan.cli.transcript import SpokenTurn
from tympan.cli.turns import TurnLedger
from tympan.client.audio_source import AudioSource
from tympan.client.errors import AudioDeviceError, SessionOver
from tympan.client.events import Event
from tympan.core.audio import AudioFormat
from tympan.core.units import StreamMs
from tympan.wire.v3.messages import ServerMessage, Turn

FINISH_S = 3.5
"""From Ctrl+C to the last turn; with what else ends then, a command is over in 6 seconds."""


class Conversation(Protocol):
    """An open session, of a server or of an engine in this process."""

    async def send_audio(self, payload: bytes) -> None: ...

    async def terminate(self) -> None: ...

    def __aiter__(self) -> AsyncIterator[Event | ServerMessage]: ...


class Service(Protocol):
    """Where audio becomes text."""

    is_remote: bool

    def session(self, sample_rate_hz: int, *, wants_partials: bool) -> AbstractAsyncContextManager[Conversation]: ...


class Watcher(Protocol):
    """Who follows a conversation. Every method returns at once."""

    def began(self) -> None:
        """The session is open."""

    def captured(self, chunk: bytes, until_ms: StreamMs) -> None:
        """The source gave a chunk, which ends there."""

    def told(self, event: Event | ServerMessage, open_turn: Turn | None) -> None:
        """The service said something; this is what the open turn reads like now."""

    def settled(self, turn: SpokenTurn) -> None:
        """A turn is over, and told once."""

    def finishing(self) -> None:
        """No more audio is taken; the last words are awaited."""

    def gave_up(self) -> None:
        """The last words didn't come in time."""


class _OutOfTime(Exception):
    """The last words didn't come within FINISH_S."""


async def converse(
    opening: AbstractAsyncContextManager[Conversation], source: AudioSource, watcher: Watcher, interrupts: Interrupts
) -> None:
    """Talk until the source or the service ends, or Ctrl+C.

    Raises:
        ClientError: no connection, or the service refuses or ends the session.
        EngineError: the engine of this process failed.
        MediaError, AudioDeviceError: the source failed.
    """
    talk = _Talk(source, watcher, interrupts)
    try:
        # A session that is left with an error ends at once.
        async with opening as session:
            watcher.began()
            await talk.run(session)
    except _OutOfTime:
        watcher.gave_up()
    except ExceptionGroup as group:
        raise first_error(group) from group
    finally:
        for turn in talk.ledger.close():
            watcher.settled(turn)
    if talk.failure is not None:
        raise talk.failure


class _Talk:
    """What is going on between a source and a session."""

    def __init__(self, source: AudioSource, watcher: Watcher, interrupts: Interrupts) -> None:
        self.ledger = TurnLedger()
        self.failure: AudioDeviceError | None = None  # of the microphone; told when the last words are
        self._source = source
        self._watcher = watcher
        self._interrupts = interrupts
        self._deadline = asyncio.timeout(None)

    async def run(self, session: Conversation) -> None:
        try:
            async with self._deadline, asyncio.TaskGroup() as tasks:

                def finish() -> None:
                    self._hurry()
                    tasks.create_task(self._source.close())

                with self._interrupts.finish_by(finish):
                    sending = tasks.create_task(self._send(session))
                    async for event in session:
                        self._hear(event)
                sending.cancel()
        except TimeoutError:  # the deadline's: a connection's is a ClientError
            raise _OutOfTime from None

    def _hear(self, event: Event | ServerMessage) -> None:
        settled = self.ledger.receive_turn(event) if isinstance(event, Turn) else []
        for turn in settled:
            self._watcher.settled(turn)
        self._watcher.told(event, self.ledger.open_turn)

    def _hurry(self) -> None:
        """No more audio: what was captured is finished, and the time for that runs."""
        self._deadline.reschedule(asyncio.get_running_loop().time() + FINISH_S)
        self._watcher.finishing()

    async def _send(self, session: Conversation) -> None:
        """Send everything, and say that it is all."""
        audio_format = AudioFormat(sample_rate_hz=self._source.sample_rate_hz)
        byte_count = 0
        with suppress(SessionOver):  # the receiving side knows why, and says so
            try:
                async for chunk in self._source:
                    byte_count += len(chunk)
                    self._watcher.captured(chunk, audio_format.position_ms(byte_count))
                    await session.send_audio(chunk)
            except AudioDeviceError as error:
                self.failure = error
                self._hurry()
            await session.terminate()


def first_error(group: ExceptionGroup[Exception]) -> Exception:
    """The failure that stopped the others."""
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, ExceptionGroup) else first
