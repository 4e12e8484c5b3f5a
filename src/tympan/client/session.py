"""Session: what a caller holds while a conversation goes on. A shell; the conversation does the talking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import suppress

from tympan.client.audio_source import AudioSource
from tympan.client.conversation import Conversation
from tympan.client.errors import BufferFull, SessionOver, SilentServer
from tympan.client.events import Event
from tympan.client.outgoing import kept_bytes
from tympan.core.audio import AudioFormat
from tympan.core.errors import ReplayFull, UsageError
from tympan.core.units import StreamMs
from tympan.wire.v3.messages import (
    Begin,
    ForceEndpoint,
    KeepAlive,
    PlainClientMessage,
    Terminate,
    UpdateConfiguration,
)

LONGEST_CHUNK_MS = 1000
"""The longest binary message that every service takes (protocol reference, section 3)."""


class Session:
    """An open session. Any number of tasks may send while one iterates."""

    def __init__(self, conversation: Conversation, begin: Begin, audio: AudioFormat | None) -> None:
        self.begin = begin
        """Of the first connection."""
        self._conversation = conversation
        self._outgoing = conversation.outgoing
        self._inbox = conversation.inbox
        self._audio = audio
        self._has_terminated = False

    async def send_audio(self, payload: bytes) -> None:
        """Send audio, of any length, in the encoding that the parameters name.

        Returns when it is kept: it reaches the server as soon as there is a connection. Waits while no room is left
        for what a slow connection doesn't take.

        Raises:
            SessionOver: the session has ended, or was told to; iterating tells how.
            BufferFull: there is no connection, and no room for more.
        """
        taken_bytes = 0
        for piece in self._pieces(payload):
            try:
                await self._wait_for_room(len(piece))
            except BufferFull as full:
                full.taken_bytes = taken_bytes
                raise
            self._outgoing.offer_audio(piece)
            self._conversation.wake()
            taken_bytes += len(piece)
        await asyncio.sleep(0)  # or a caller in a tight loop would keep the connection from sending

    async def send_from(self, source: AudioSource | AsyncIterable[bytes] | Iterable[bytes]) -> None:
        """Send all that a source yields. Returns when it ends, or when the session does; the source is closed.

        Raises:
            UsageError: the source has another sample rate than the session.
            BufferFull, MediaError, AudioDeviceError.
        """
        closing: asyncio.Task[None] | None = None
        try:
            if isinstance(source, AudioSource):
                self._check_rate(source.sample_rate_hz)
                closing = asyncio.create_task(self._close_when_over(source), name="tympan client closes a source")
            with suppress(SessionOver):
                async for chunk in _chunks(source):
                    await self.send_audio(chunk)
        finally:
            if closing is not None:
                closing.cancel()
                await asyncio.gather(closing, return_exceptions=True)
            if isinstance(source, AudioSource):
                await source.close()

    async def send(self, message: PlainClientMessage) -> None:
        """Send a control message. It acts in order with the audio, and waits for room as audio does.

        Raises:
            SessionOver, BufferFull: as `send_audio` does.
        """
        if isinstance(message, Terminate):
            await self.terminate()
            return
        await self._wait_for_room(kept_bytes(message))
        self._offer(message)
        if isinstance(message, UpdateConfiguration):
            self._follow(message)

    async def force_endpoint(self) -> None:
        """End the open turn where the audio stands now. Raises as `send_audio` does."""
        await self.send(ForceEndpoint())

    async def update(self, changes: UpdateConfiguration) -> None:
        """Change the session from now on, over all connections. Raises as `send_audio` does."""
        await self.send(changes)

    async def keep_alive(self) -> None:
        """Reset the server's inactivity timer. Raises as `send_audio` does."""
        await self.send(KeepAlive())

    async def terminate(self) -> None:
        """No more audio: the server ends the open turn, says `Termination`, and iteration stops. Idempotent.

        Raises:
            BufferFull: as `send_audio` does.
        """
        if self._has_terminated or self._inbox.is_finished:
            return
        self._has_terminated = True  # from now on, or whoever sends audio would take the room that is waited for
        try:
            if await self._has_room_to_end():
                self._offer(Terminate())
        except BaseException:
            self._has_terminated = False
            raise
        self._conversation.is_over.set()

    async def receive(self) -> Event | None:
        """The next event; None after the last one.

        Raises:
            ClientError: the session ended in any other way than by `Termination`.
        """
        return await self._inbox.take()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Events after `Begin`, up to and with `Termination`. Raises as `receive` does."""
        while (event := await self.receive()) is not None:
            yield event

    async def end(self, talking: asyncio.Task[None]) -> None:
        """Leave the block: end gracefully, and tell of a failure that iterating hasn't told.

        Raises:
            ClientError: the session failed, or can't be ended in time.
        """
        if not talking.done():
            self._inbox.discard()
            await self.terminate()
            timeout_s = self._conversation.ending_s
            await asyncio.wait((talking,), timeout=timeout_s)
            if not talking.done():
                raise SilentServer(
                    f"the session could not be ended within {timeout_s:.1f} s", self._conversation.context
                )
        if self._inbox.failure is not None and not self._inbox.was_told_failure:
            raise self._inbox.failure

    def _pieces(self, payload: bytes) -> Iterator[bytes]:
        """What is sent as one message. Compressed audio comes in packets, which must stay whole."""
        if self._audio is None:
            yield from filter(None, (payload,))
            return
        longest = self._audio.byte_position(StreamMs(LONGEST_CHUNK_MS))
        for start in range(0, len(payload), longest):
            yield payload[start : start + longest]

    async def _wait_for_room(self, byte_count: int) -> None:
        self._check_open()
        while not self._outgoing.has_room(byte_count):
            await self._wait_for_some_room()
            self._check_open()

    async def _has_room_to_end(self) -> bool:
        """Wait for it; False where the session is over before."""
        while not self._outgoing.has_room(kept_bytes(Terminate())):
            await self._wait_for_some_room()
            if self._inbox.is_finished:
                return False
        return True

    async def _wait_for_some_room(self) -> None:
        if not self._conversation.is_connected:
            raise self._full()
        self._conversation.has_room.clear()
        await self._conversation.has_room.wait()

    def _offer(self, message: PlainClientMessage) -> None:
        try:
            self._outgoing.offer_control(message)
        except ReplayFull:
            raise self._full() from None
        self._conversation.wake()

    def _full(self) -> BufferFull:
        waiting_s = (self._outgoing.offered_ms - self._outgoing.start_ms) / 1000
        waiting = "compressed audio waits" if self._audio is None else f"{waiting_s:.0f} s of audio wait"
        return BufferFull(
            f"{waiting} for a connection, and more can't be kept; none of it is lost while the session lasts",
            self._conversation.context,
        )

    def _check_open(self) -> None:
        if self._has_terminated:
            raise SessionOver("terminate() was called: nothing more can be sent", self._conversation.context)
        if self._inbox.is_finished:
            raise SessionOver("the session has ended", self._conversation.context)

    def _check_rate(self, sample_rate_hz: int) -> None:
        if self._audio is not None and sample_rate_hz != self._audio.sample_rate_hz:
            raise UsageError(
                f"the source yields {sample_rate_hz} Hz, the session takes {self._audio.sample_rate_hz} Hz; "
                "give the source's rate as the parameter sample_rate"
            )

    def _follow(self, update: UpdateConfiguration) -> None:
        """What the seam must know of a changed configuration."""
        seam = self._conversation.seam
        if update.format_turns is not None:
            seam.is_formatting = update.format_turns
        if update.max_turn_silence is not None:
            seam.longest_silence_ms = update.max_turn_silence

    async def _close_when_over(self, source: AudioSource) -> None:
        """A source that waits for its next chunk would hold its reader up."""
        await self._conversation.is_over.wait()
        await source.close()


async def _chunks(source: AsyncIterable[bytes] | Iterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(source, AsyncIterable):
        async for chunk in source:
            yield chunk
    else:
        for chunk in source:
            yield chunk
