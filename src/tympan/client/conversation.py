"""The conversation behind a `Session`: one task that talks, over one connection after the other.

It holds no rules. What is kept and sent is `outgoing`'s matter, what is told is `seam`'s, whether another attempt
is made is `retry`'s. Its own duties:
- One connection at a time; each is closed, and each task has ended, before the next is opened or `run` returns.
- Why a connection ended is what receiving says: a server tells its reason before it closes.
- A session that the server keeps is resumed; where it doesn't (any more), a new one is given the audio again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from tympan.client.connection import Connection
from tympan.client.dialer import Dialer
from tympan.client.errors import (
    ClientError,
    ErrorContext,
    NetworkError,
    Phase,
    ProtocolViolation,
    ServerError,
    SessionLost,
    SilentServer,
)
from tympan.client.events import Continuation, Reconnected, Reconnecting
from tympan.client.inbox import Inbox
from tympan.client.outgoing import Outgoing
from tympan.client.progress import QUIET_MS, Progress
from tympan.client.retry import Attempts, ReconnectPolicy, is_worth_retrying
from tympan.client.seam import Seam
from tympan.core.errors import ProtocolError
from tympan.core.replay import Position
from tympan.core.units import Monotonic
from tympan.wire.v3.messages import (
    Acknowledge,
    Begin,
    Checkpoint,
    Error,
    Resumed,
    ServerMessage,
    Terminate,
    Termination,
    UnknownServerMessage,
)

_LEAVING_S = 0.5
"""A server gets that long to answer the close of a caller who leaves at once."""

_ACCIDENT_AFTER_S = 10
"""A session that lasted so long in silence worked, though nothing was told."""

_ASK_EVERY_S = 5
"""How often the connection has to show how much of the audio has come."""

_APPLICATION_CODES = range(3000, 5000)
"""Close codes that a service gives itself; others may come from anything between it and us."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock and chance, so that tests can bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(slots=True)
class _Kept:
    """A session that the server keeps; its own positions count from `origin`."""

    key: str
    origin: Position
    settled_ms: int
    messages_received: int = 1  # `Begin`
    is_acknowledging: bool = False


class Conversation:
    """Talks until the server has said `Termination`, or nothing more can be done."""

    def __init__(
        self,
        dialer: Dialer,
        outgoing: Outgoing,
        seam: Seam,
        inbox: Inbox,
        *,
        policy: ReconnectPolicy | None,
        tells_partials: bool,
        timing: Timing,
    ) -> None:
        self.outgoing, self.seam, self.inbox = outgoing, seam, inbox
        self._dialer = dialer
        self._policy, self._tells_partials, self._timing = policy, tells_partials, timing
        self._connection: Connection | None = None
        self._progress = Progress(Monotonic(0), 0)
        self._delivered_ms = 0  # of the audio, as the connection has shown
        self._began_at = Monotonic(0)  # the server's present session
        self._kept: _Kept | None = None
        self._has_worked = False  # any connection has told something
        self._attempts: Attempts | None = None  # since the last one that did
        self._patience: asyncio.Timeout | None = None
        self._has_more = asyncio.Event()  # to send
        self.has_room = asyncio.Event()  # or will never have any
        self.is_over = asyncio.Event()  # or was told to end: no more audio is taken
        self.context = ErrorContext()
        self.is_leaving = False
        """The caller waits for nothing any more."""

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def patience_s(self) -> float:
        """How long the server may be silent after Terminate: for what it was sent, and a while more."""
        return self._dialer.target.timeouts.terminate_s + self._progress.behind_s(self._now())

    @property
    def ending_s(self) -> float:
        """How long it may take to end, from now on, for a caller who reads nothing more."""
        unsent_ms = self.outgoing.offered_ms - self.outgoing.sent_ms
        return self.patience_s + unsent_ms / 1000 + self._dialer.target.timeouts.close_s

    async def open(self) -> Begin:
        """The first connection. One attempt: a caller wants to know at once that nothing is there.

        Raises:
            ClientError: no connection or no session.
        """
        connection, begin = await self._dialer.begin({})
        self._begin(begin, Position())
        self._connect(connection)
        return begin

    async def run(self) -> None:
        """Talk to the end. Events, and the error if there is one, go to the inbox."""
        failure: ClientError | None = None
        try:
            while (lost := await self._talk()) is not None:
                await self._hang_up()
                await self._reconnect(lost)
        except ClientError as error:
            failure = error
        except Exception as bug:  # the boundary of a conversation: whoever iterates is told
            failure = ClientError(f"the client itself failed: {bug!r}")
            failure.__cause__ = bug
        finally:
            try:
                await self._hang_up()
            finally:
                self.inbox.finish(failure)
                self.is_over.set()
                self.has_room.set()

    def wake(self) -> None:
        """Something was offered."""
        self._has_more.set()

    async def _talk(self) -> ClientError | None:
        """One connection's life; what ended it, or None after `Termination`."""
        assert self._connection is not None
        connection = self._connection
        sender = asyncio.create_task(self._send_all(connection), name="tympan client sends")
        receiver = asyncio.create_task(self._receive_all(connection), name="tympan client receives")
        asker = asyncio.create_task(self._ask_for_delivery(connection), name="tympan client asks")
        try:
            await asyncio.wait((sender, receiver), return_when=asyncio.FIRST_COMPLETED)
            if not receiver.done() and _is_cause(sender):
                sender.result()
            await receiver
        except ClientError as error:
            return error
        finally:
            tasks = (sender, receiver, asker)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return None

    async def _send_all(self, connection: Connection) -> None:
        """What was offered, as it comes; ends by an error or by being cancelled."""
        while True:
            self._has_more.clear()
            if self._kept is not None and self._kept.is_acknowledging:
                self._kept.is_acknowledging = False
                await connection.send(Acknowledge(self._kept.messages_received))
            delay_s = self._progress.delay_s(self._now())
            if delay_s:
                await self._timing.sleep(delay_s)
            item = self.outgoing.take()
            match item:
                case None:
                    await self._has_more.wait()
                case bytes():
                    await connection.send_audio(item)
                    self._progress.sent(self.outgoing.sent_ms, self._now())
                    self._settle()
                case _:
                    await connection.send(item)
            if isinstance(item, Terminate):
                connection.enter(Phase.ENDING)
                self._be_patient()

    async def _ask_for_delivery(self, connection: Connection) -> None:
        """How far the audio has come, from time to time: a line that is dead but not cut takes it and says nothing."""
        while True:
            await asyncio.sleep(_ASK_EVERY_S)
            sent_ms = self.outgoing.sent_ms
            await connection.delivered()
            self._delivered_ms = sent_ms

    async def _receive_all(self, connection: Connection) -> None:
        """Everything up to `Termination`."""
        try:
            async with asyncio.timeout(None) as self._patience:
                while True:
                    self._be_patient()
                    message = await connection.receive()
                    self._patience.reschedule(None)
                    self._hear(message, connection)
                    if isinstance(message, Termination):
                        return
                    await self.inbox.wait_for_room()
        except TimeoutError as error:
            raise SilentServer(
                f"{connection.context.address} was told to end the session and says nothing", connection.context
            ) from error
        finally:
            self._patience = None

    def _hear(self, message: ServerMessage | UnknownServerMessage, connection: Connection) -> None:
        """One message, with all that follows from it: it is heard whole or not at all."""
        if self._kept is not None:
            self._kept.messages_received += 1
        match message:
            case UnknownServerMessage():
                return
            case Checkpoint():
                self._hear_checkpoint(message)
            case Begin() | Resumed() | Error():
                name = type(message).__name__
                raise ProtocolViolation(f"the server said {name} in the middle of the session", connection.context)
            case _:
                self.inbox.put(self.seam.receive(message))
        self._attempts, self._has_worked = None, True
        self._settle()

    def _hear_checkpoint(self, checkpoint: Checkpoint) -> None:
        if self._kept is not None:
            origin_ms = self.outgoing.ms_at(self._kept.origin)
            self._kept.settled_ms = origin_ms + checkpoint.audio_settled_ms
            self._kept.is_acknowledging = True
            self._has_more.set()

    def _settle(self) -> None:
        """Let go of the audio that no other session would need."""
        self.outgoing.settle(self._replay_from_ms())
        self.has_room.set()

    def _replay_from_ms(self) -> int:
        if self._kept is not None:
            return self.seam.replay_from_ms(self._kept.settled_ms)
        if not self._tells_partials or self.seam.is_turn_open:
            return self.seam.replay_from_ms(0)
        quiet_until_ms = min(self._progress.quiet_until_ms(self._now()), self._delivered_ms - QUIET_MS)
        return self.seam.replay_from_ms(max(0, quiet_until_ms))

    def _be_patient(self) -> None:
        """After Terminate the server may be silent for a while, and no longer."""
        if self.outgoing.has_sent_terminate and self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + self.patience_s)

    async def _reconnect(self, lost: ClientError) -> None:
        """Get another connection, or raise why there is none."""
        policy, error = self._policy, lost
        if policy is None:
            raise lost
        attempts = self._attempts = self._attempts or Attempts(policy, self._now())
        while True:
            if not is_worth_retrying(error) or self._is_answer(error):
                raise error
            delay_s = attempts.next_delay_s(self._now(), self._timing.chance())
            if delay_s is None:
                raise type(error)(f"{error} (gave up after {attempts.count} attempts)", error.context) from error
            self.inbox.put([Reconnecting(attempts.count, delay_s, error)])
            await self._timing.sleep(delay_s)
            try:
                await self._reopen(lost)
            except ClientError as failed:
                error = failed
            else:
                return

    def _is_answer(self, error: ClientError) -> bool:
        """The first session failed before it did anything: that is what the server says to it, no accident."""
        is_young = self._now() - self._began_at < _ACCIDENT_AFTER_S
        return isinstance(error, ServerError) and not self._has_worked and is_young

    async def _reopen(self, lost: ClientError) -> None:
        """Resume where that may be possible, else begin again."""
        if self._kept is not None and lost.context.close_code not in _APPLICATION_CODES:
            with suppress(SessionLost):
                await self._resume(self._kept)
                return
        await self._begin_again()

    async def _resume(self, kept: _Kept) -> None:
        connection, resumed = await self._dialer.resume(kept.key, kept.messages_received)
        received = Position(
            kept.origin.audio_bytes + resumed.audio_received_bytes, kept.origin.messages + resumed.messages_received
        )
        try:
            self.outgoing.resume_at(received)
        except ProtocolError as error:
            await connection.close()
            raise SessionLost(f"the server resumes at an impossible place: {error}", connection.context) from error
        self._take_up(connection, Continuation.RESUMED, missing_ms=0)

    async def _begin_again(self) -> None:
        self._settle()
        connection, begin = await self._dialer.begin(self.outgoing.configuration())
        self._kept = None
        origin = self.outgoing.begin_again()
        session_s = round(self._now() - self._began_at)
        self.inbox.put(self.seam.cut(self.outgoing.start_ms, session_s=session_s))
        self._begin(begin, origin)
        self._take_up(connection, Continuation.REPLAYED, missing_ms=self.outgoing.unsettled_ms)

    def _begin(self, begin: Begin, origin: Position) -> None:
        self._began_at = self._now()
        if begin.resume_key is not None:
            self._kept = _Kept(begin.resume_key, origin, self.outgoing.ms_at(origin))

    def _take_up(self, connection: Connection, how: Continuation, *, missing_ms: int) -> None:
        self._connect(connection)
        session_id = connection.context.session_id or ""
        self.inbox.put([Reconnected(how, session_id, self._progress.catches_up_ms, missing_ms)])

    def _connect(self, connection: Connection) -> None:
        outgoing = self.outgoing
        self._connection, self.context = connection, connection.context
        self._progress = Progress(self._now(), outgoing.sent_ms, outgoing.offered_ms - outgoing.sent_ms)
        self._delivered_ms = outgoing.sent_ms
        outgoing.may_release = True
        self._has_more.set()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        self.outgoing.may_release = False  # what was sent may have to be sent again
        self.has_room.set()
        if connection is not None:
            timeout_s = self._dialer.target.timeouts.close_s
            await connection.close(min(timeout_s, _LEAVING_S) if self.is_leaving else timeout_s)

    def _now(self) -> Monotonic:
        return Monotonic(self._timing.now())


def _is_cause(sender: asyncio.Task[None]) -> bool:
    """The sending side knows why the connection is of no use. Where it was closed, the receiving side knows."""
    error = sender.exception()
    return isinstance(error, SilentServer) or not isinstance(error, NetworkError)
