"""The conversation behind a `Session`: one task that talks, over one line after the other.

It holds no rules. What is kept and sent is `outgoing`'s matter, what is told is `seam`'s, whether another attempt is
made is `retry`'s. Its own duties:
- One connection at a time; each is closed before the next is opened or `run` returns.
- A session that the server keeps is resumed; where it doesn't (any more), a new one is given the audio again. Where
  that can't be, as with compressed audio, only resuming is tried.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tympan.client.connection import Connection
from tympan.client.dialer import Dialer
from tympan.client.errors import ClientError, ErrorContext, ProtocolViolation, ServerError, SessionLost
from tympan.client.events import Continuation, Reconnected, Reconnecting
from tympan.client.inbox import Inbox
from tympan.client.joint import OVERLAP_MS
from tympan.client.line import Line
from tympan.client.outgoing import Outgoing
from tympan.client.retry import Attempts, ReconnectPolicy, is_worth_retrying
from tympan.client.seam import Seam
from tympan.client.timing import Timing
from tympan.core.errors import ProtocolError
from tympan.core.replay import Position
from tympan.core.units import Monotonic
from tympan.wire.v3.messages import Begin, Checkpoint, Error, Resumed, ServerMessage, UnknownServerMessage

_LEAVING_S = 0.5
"""A server gets that long to answer the close of a caller who leaves at once."""

_ACCIDENT_AFTER_S = 10
"""A session that lasted so long in silence worked, though nothing was told."""

_FAREWELL_CODES = (3005, 3008)
"""Services that leave with these tell what they have heard so far before, as an ended turn."""

_APPLICATION_CODES = range(3000, 5000)
"""Close codes that a service gives itself; others may come from anything between it and us."""


@dataclass(slots=True)
class _Kept:
    """A session that the server keeps; its own positions count from `origin`."""

    key: str
    origin: Position
    settled_ms: int
    messages_received: int = 1  # `Begin`
    received: Position = field(default_factory=Position)
    """What the server has, of all that was offered."""
    is_gone: bool = False
    """The server said that it doesn't keep it any more; what was settled still counts."""

    def position(self, audio_bytes: int, messages: int) -> Position:
        """What the server counts, among all that was offered."""
        return Position(self.origin.audio_bytes + audio_bytes, self.origin.messages + messages)


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
        can_begin_again: bool,
        tells_partials: bool,
        timing: Timing,
    ) -> None:
        self.outgoing, self.seam, self.inbox = outgoing, seam, inbox
        self._dialer = dialer
        self._policy, self._tells_partials, self._timing = policy, tells_partials, timing
        self._can_begin_again = can_begin_again
        self._line: Line | None = None
        self._began_at = Monotonic(0)  # the server's present session
        self._kept: _Kept | None = None
        self._has_worked = False  # any line has told something
        self._attempts: Attempts | None = None  # since the last one that did
        self.context = ErrorContext()
        self.has_room = asyncio.Event()  # or will never have any
        self.is_over = asyncio.Event()  # or was told to end: no more audio is taken
        self.is_leaving = False
        """The caller waits for nothing any more."""

    @property
    def is_connected(self) -> bool:
        return self._line is not None

    @property
    def ending_s(self) -> float:
        """How long it may take to end, from now on, for a caller who reads nothing more."""
        timeouts = self._dialer.target.timeouts
        patience_s = timeouts.terminate_s if self._line is None else self._line.patience_s
        unsent_ms = self.outgoing.offered_ms - self.outgoing.sent_ms
        return patience_s + unsent_ms / 1000 + timeouts.close_s

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
            failure = ClientError(f"the client itself failed: {bug!r}", self.context)
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
        if self._line is not None:
            self._line.wake()

    async def _talk(self) -> ClientError | None:
        """What ended the line; None after `Termination`."""
        assert self._line is not None
        try:
            await self._line.talk()
        except ClientError as error:
            return error
        return None

    def _hear(self, message: ServerMessage | UnknownServerMessage) -> None:
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
                raise ProtocolViolation(f"the server said {name} in the middle of the session", self.context)
            case _:
                self.inbox.put(self.seam.receive(message))
        self._attempts, self._has_worked = None, True
        self._settle()

    def _hear_checkpoint(self, checkpoint: Checkpoint) -> None:
        if self._kept is not None and self._line is not None:
            self._kept.settled_ms = self.outgoing.ms_at(self._kept.origin) + checkpoint.audio_settled_ms
            self._kept.received = self._kept.position(checkpoint.audio_received_bytes, checkpoint.messages_received)
            self._line.acknowledge(self._kept.messages_received)

    def _settle(self) -> None:
        """End a turn that is over, and let go of the audio that no other session would need."""
        self.inbox.put(self.seam.advance(self._quiet_until_ms))
        if self._can_begin_again:
            self.outgoing.settle(self.seam.replay_from_ms(self._settled_ms), keep_ms=OVERLAP_MS)
        else:
            self.outgoing.release(None if self._kept is None else self._kept.received)
        self.has_room.set()

    @property
    def _settled_ms(self) -> int:
        """What was spoken before is told, as far as the server says so or is silent about it."""
        return 0 if self._kept is None and self.seam.is_turn_open else self._quiet_until_ms

    @property
    def _quiet_until_ms(self) -> int:
        """Whatever the present session heard before, it has told."""
        if self._kept is not None:
            return self._kept.settled_ms
        if self._line is None or not self._tells_partials:
            return 0
        return self._line.progress.quiet_until_ms(self._now())

    async def _reconnect(self, lost: ClientError) -> None:
        """Get another connection, or raise why there is none."""
        policy, error = self._policy, lost
        if policy is None:
            raise lost
        attempts = self._attempts = self._attempts or Attempts(policy, self._now())
        while True:
            if not is_worth_retrying(error) or self._is_answer(error) or not self._can_go_on(lost):
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

    def _can_go_on(self, lost: ClientError) -> bool:
        return self._can_begin_again or self._kept_after(lost) is not None

    def _kept_after(self, lost: ClientError) -> _Kept | None:
        """The session that the server may still keep."""
        is_kept = self._kept is not None and not self._kept.is_gone
        return self._kept if is_kept and lost.context.close_code not in _APPLICATION_CODES else None

    async def _reopen(self, lost: ClientError) -> None:
        """Resume where that may be possible, else begin again."""
        kept = self._kept_after(lost)
        if kept is not None:
            try:
                await self._resume(kept)
            except SessionLost:
                kept.is_gone = True
                if not self._can_begin_again:
                    raise
            else:
                return
        await self._begin_again(is_abrupt=lost.context.close_code in _FAREWELL_CODES)

    async def _resume(self, kept: _Kept) -> None:
        connection, resumed = await self._dialer.resume(kept.key, kept.messages_received)
        try:
            self.outgoing.resume_at(kept.position(resumed.audio_received_bytes, resumed.messages_received))
        except ProtocolError as error:
            await connection.close()
            raise SessionLost(f"the server resumes at an impossible place: {error}", connection.context) from error
        self._take_up(connection, Continuation.RESUMED, missing_ms=0)

    async def _begin_again(self, *, is_abrupt: bool) -> None:
        self._settle()
        from_ms = self.seam.replay_from_ms(self._settled_ms, is_abrupt=is_abrupt)
        connection, begin = await self._dialer.begin(self.outgoing.configuration_at(from_ms))
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
        resent_ms = self.outgoing.offered_ms - self.outgoing.sent_ms if self._can_begin_again else 0
        self.inbox.put([Reconnected(how, self.context.session_id or "", resent_ms, missing_ms)])

    def _connect(self, connection: Connection) -> None:
        self._line = Line(
            connection, self.outgoing, self.inbox, hear=self._hear, progressed=self._settle, timing=self._timing
        )
        self.context = connection.context
        self.outgoing.may_release = True

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        self.outgoing.may_release = False  # what was sent may have to be sent again
        self.has_room.set()
        if line is not None:
            await line.close(_LEAVING_S if self.is_leaving else None)

    def _now(self) -> Monotonic:
        return Monotonic(self._timing.now())
