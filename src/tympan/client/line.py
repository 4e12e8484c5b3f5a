"""Line: the life of one connection. It sends what is outgoing, hands on what comes, and ends with the reason.

It holds no rules and knows nothing of other connections. Its own duties:
- Why a connection ended is what receiving says: a server tells its reason before it closes.
- A server that was told to end may be silent for a while, and no longer.
- A connection that is dead but not cut takes audio and says nothing, so it is asked from time to time how much has
  come.
- All its tasks have ended when `talk` returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tympan.client.connection import Connection
from tympan.client.errors import ErrorContext, NetworkError, Phase, SilentServer
from tympan.client.inbox import Inbox
from tympan.client.outgoing import Outgoing
from tympan.client.progress import Progress
from tympan.client.timing import Timing
from tympan.core.units import Monotonic
from tympan.wire.v3.messages import Acknowledge, ServerMessage, Terminate, Termination, UnknownServerMessage

_ASK_EVERY_S = 5
"""How often the connection has to show how much of the audio has come."""

Hear = Callable[[ServerMessage | UnknownServerMessage], None]


class Line:
    """One connection, from the first message after `Begin` or `Resumed` on.

    `hear` is called with each message, `progressed` when audio was sent; what `hear` raises ends the line.
    """

    def __init__(
        self,
        connection: Connection,
        outgoing: Outgoing,
        inbox: Inbox,
        *,
        hear: Hear,
        progressed: Callable[[], None],
        timing: Timing,
    ) -> None:
        self._connection = connection
        self._outgoing = outgoing
        self._inbox = inbox
        self._hear, self._progressed = hear, progressed
        self._timing = timing
        self.progress = Progress(self._now(), outgoing.sent_ms, outgoing.offered_ms - outgoing.sent_ms)
        self._acknowledges: int | None = None
        self._patience: asyncio.Timeout | None = None
        self._has_more = asyncio.Event()  # to send

    @property
    def context(self) -> ErrorContext:
        """Where it leads, and to which session."""
        return self._connection.context

    @property
    def patience_s(self) -> float:
        """How long the server may be silent after Terminate: for what it was sent, and a while more."""
        return self._connection.timeouts.terminate_s + self.progress.behind_s(self._now())

    def wake(self) -> None:
        """Something was offered."""
        self._has_more.set()

    def acknowledge(self, count: int) -> None:
        """Tell the server soon that so many of its messages have come."""
        self._acknowledges = count
        self._has_more.set()

    async def talk(self) -> None:
        """Until `Termination` has come.

        Raises:
            ClientError: the connection ended in any other way.
        """
        sender = asyncio.create_task(self._send_all(), name="tympan client sends")
        receiver = asyncio.create_task(self._receive_all(), name="tympan client receives")
        asker = asyncio.create_task(self._ask_for_delivery(), name="tympan client asks")
        tasks = (sender, receiver, asker)
        try:
            await asyncio.wait((sender, receiver), return_when=asyncio.FIRST_COMPLETED)
            if not receiver.done() and _is_cause(sender):
                sender.result()
            await receiver
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self, timeout_s: float | None = None) -> None:
        """Close the connection. Idempotent."""
        await self._connection.close(timeout_s)

    async def _send_all(self) -> None:
        """What was offered, as it comes; ends by an error or by being cancelled."""
        while True:
            self._has_more.clear()
            if self._acknowledges is not None:
                count, self._acknowledges = self._acknowledges, None
                await self._connection.send(Acknowledge(count))
            delay_s = self.progress.delay_s(self._now())
            if delay_s:
                await self._timing.sleep(delay_s)
            item = self._outgoing.take()
            match item:
                case None:
                    await self._has_more.wait()
                case bytes():
                    await self._connection.send_audio(item)
                    self.progress.sent(self._outgoing.sent_ms, self._now())
                    self._progressed()
                case _:
                    await self._connection.send(item)
            if isinstance(item, Terminate):
                self._connection.enter(Phase.ENDING)
                self._be_patient()

    async def _receive_all(self) -> None:
        """Everything up to `Termination`."""
        try:
            async with asyncio.timeout(None) as self._patience:
                while True:
                    self._be_patient()
                    message = await self._connection.receive()
                    self._patience.reschedule(None)
                    self._hear(message)
                    if isinstance(message, Termination):
                        return
                    await self._inbox.wait_for_room()
        except TimeoutError as error:
            raise SilentServer(
                f"{self.context.address} was told to end the session and says nothing", self.context
            ) from error
        finally:
            self._patience = None

    async def _ask_for_delivery(self) -> None:
        while True:
            await self._timing.sleep(_ASK_EVERY_S)
            sent_ms = self._outgoing.sent_ms
            await self._connection.delivered()
            self.progress.delivered(sent_ms)

    def _be_patient(self) -> None:
        if self._outgoing.has_sent_terminate and self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + self.patience_s)

    def _now(self) -> Monotonic:
        return Monotonic(self._timing.now())


def _is_cause(sender: asyncio.Task[None]) -> bool:
    """The sending side knows why the connection is of no use. Where it was closed, the receiving side knows."""
    error = sender.exception()
    return isinstance(error, SilentServer) or not isinstance(error, NetworkError)
