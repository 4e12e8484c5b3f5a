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
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tympan.cli.interrupts import Interrupts
from tympan.cli.transcript import SpokenTurn
from tympan.cli.turns import TurnLedger
from tympan.client.audio_source import AudioSource
from tympan.client.errors import AudioDeviceError, NetworkError
from tympan.client.events import Event
from tympan.core.audio import AudioFormat
from tympan.core.units import StreamMs
from tympan.wire.v3.messages import ServerMessage, Turn

FINISH_S = 4.5
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


async def converse(
    opening: AbstractAsyncContextManager[Conversation], source: AudioSource, watcher: Watcher, interrupts: Interrupts
) -> None:
    """Talk until the source or the service ends, or Ctrl+C.

    Raises:
        ClientError: no connection, or the service refuses or ends the session.
        EngineError: the engine of this process failed.
        MediaError, AudioDeviceError: the source failed.
    """
    ledger = TurnLedger()
    try:
        async with opening as session:
            watcher.began()
            await _talk(session, source, watcher, interrupts, ledger)
    except ExceptionGroup as group:
        raise first_error(group) from group
    finally:
        for turn in ledger.close():
            watcher.settled(turn)


async def _talk(
    session: Conversation, source: AudioSource, watcher: Watcher, interrupts: Interrupts, ledger: TurnLedger
) -> None:
    try:
        async with asyncio.timeout(None) as deadline, asyncio.TaskGroup() as tasks:

            def finish() -> None:
                deadline.reschedule(asyncio.get_running_loop().time() + FINISH_S)
                watcher.finishing()
                tasks.create_task(source.close())

            with interrupts.finish_by(finish):
                sending = tasks.create_task(_send(session, source, watcher, deadline))
                async for event in session:
                    settled = ledger.receive_turn(event) if isinstance(event, Turn) else []
                    for turn in settled:
                        watcher.settled(turn)
                    watcher.told(event, ledger.open_turn)
            failure = sending.result() if sending.done() else None
            sending.cancel()
    except TimeoutError:
        if not deadline.expired():
            raise
        watcher.gave_up()
        return
    if failure is not None:
        raise failure


async def _send(
    session: Conversation, source: AudioSource, watcher: Watcher, deadline: asyncio.Timeout
) -> AudioDeviceError | None:
    """Send everything, and say that it is all. A microphone that failed is told, not raised."""
    failure = None
    audio_format = AudioFormat(sample_rate_hz=source.sample_rate_hz)
    byte_count = 0
    try:
        try:
            async for chunk in source:
                byte_count += len(chunk)
                watcher.captured(chunk, audio_format.position_ms(byte_count))
                await session.send_audio(chunk)
        except AudioDeviceError as error:
            failure = error
            deadline.reschedule(asyncio.get_running_loop().time() + FINISH_S)
        await session.terminate()
    except NetworkError:
        pass  # The receiving side knows why the session ended, and says so.
    return failure


def first_error(group: ExceptionGroup[Exception]) -> Exception:
    """The failure that stopped the others."""
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, ExceptionGroup) else first
