"""One WebSocket connection: the pump between a socket and the conversation that it serves. It holds no rules.

A conversation may outlive its connection, and another one may replace it: then this one is told so and goes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from starlette.websockets import WebSocketDisconnect

from tympan.core.errors import ResumedElsewhere
from tympan.server.config import NetworkConfig
from tympan.server.conversation import Conversation
from tympan.server.line import Line
from tympan.server.record import GOODBYES, VANISHED
from tympan.wire.server_protocol import Farewell

CONNECTION_LOST = (WebSocketDisconnect, RuntimeError)
"""What sending raises when the peer is gone; uvicorn's choice depends on who noticed first."""

CLOSE_ANSWER_S = 5.0
"""Time for a client to answer a close, which tells that it has read everything before."""

_READER_S = 1.0
"""Time to read what came before a socket failed; it is there already."""

_MESSAGES_IN_A_ROW = 32  # then other connections have their turn


class Outcome(Enum):
    """Why nothing more is written."""

    TOLD = "all is told"
    TOO_SLOW = "the client reads too slowly"
    UNREACHABLE = "the socket is closed"


@dataclass(frozen=True, slots=True)
class Departure:
    """The client is gone, with this close code; `VANISHED` without one."""

    close_code: int = VANISHED
    why: str = "the client vanished"


class Connection:
    """The pump of one socket. `opening` is told before anything that the conversation tells."""

    def __init__(
        self, socket: Line, conversation: Conversation, network: NetworkConfig, opening: tuple[str, ...] = ()
    ) -> None:
        self._socket = socket
        self._conversation = conversation
        self._send_timeout_s = network.send_timeout_s
        self._opening = opening
        self._serving: asyncio.Task[int] | None = None
        self._is_replaced = False
        self._has_said_goodbye = False  # the client, by itself, when all was told

    async def run(self) -> int:
        """Serve the conversation until one side ends it, the socket is lost, or another connection goes on.

        Returns the close code. Whatever happens, the conversation is closed then, or kept for its client.
        """
        self._conversation.attach(self._replace)
        try:
            async with asyncio.TaskGroup() as group:
                self._serving = group.create_task(self._serve())
        except BaseException:
            if not self._is_replaced:
                self._conversation.close()
            raise
        if not self._is_replaced:
            return self._serving.result()
        words = self._conversation.farewell_for(ResumedElsewhere("Another connection has resumed the session"))
        await say(self._socket, words, self._send_timeout_s)
        return words.code

    def _replace(self) -> None:
        """Another connection serves the conversation from now on.

        Tasks end some turns of the loop after they are cancelled; until then nothing more may pass here.
        """
        self._is_replaced = True
        if self._serving is not None:
            self._serving.cancel()

    async def _serve(self) -> int:
        departure = await self._pump()
        words = self._conversation.farewell
        if departure is None and words is not None:
            return await self._part(words)
        gone = departure or Departure()
        self._conversation.lose(gone.close_code, gone.why)
        return gone.close_code if words is None else words.code

    async def _pump(self) -> Departure | None:
        """Both directions at once; None when all is told."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read())
            writer = group.create_task(self._write())
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and writer.result() is Outcome.UNREACHABLE:
                await asyncio.wait((reader,), timeout=_READER_S)  # it knows whether the client said goodbye
            reader.cancel()
            writer.cancel()
        outcome = None if writer.cancelled() else writer.result()
        if outcome is Outcome.TOLD:
            self._has_said_goodbye = not reader.cancelled() and reader.result().close_code in GOODBYES
            return None
        if not reader.cancelled():
            return reader.result()
        return Departure(why="the client reads too slowly") if outcome is Outcome.TOO_SLOW else Departure()

    async def _part(self, words: Farewell) -> int:
        """Say farewell. A client that may resume is known to have read everything once it has answered."""
        if not self._conversation.outlives_connections:
            self._conversation.close()
            await say(self._socket, words, self._send_timeout_s)
            return words.code
        await say(self._socket, words, self._send_timeout_s)
        if self._has_said_goodbye or await self._is_answered(words):
            self._conversation.close()
        else:
            self._conversation.lose(VANISHED, Departure().why)
        return words.code

    async def _is_answered(self, words: Farewell) -> bool:
        with suppress(TimeoutError, RuntimeError):
            async with asyncio.timeout(CLOSE_ANSWER_S):
                while (message := await self._socket.receive())["type"] != "websocket.disconnect":
                    pass  # on its way before the client saw the close: too late
                return "reason" in message and message["code"] in {words.code, *GOODBYES}
        return False

    async def _read(self) -> Departure:
        """Client to conversation. Ends when the client is gone."""
        count = 0
        while (message := await self._socket.receive())["type"] == "websocket.receive" and not self._is_replaced:
            payload: bytes | None = message.get("bytes")
            if payload is not None:
                self._conversation.receive_audio(payload)
            else:
                self._conversation.receive_text(message["text"])
            count += 1
            if count % _MESSAGES_IN_A_ROW == 0:
                await asyncio.sleep(0)
        # uvicorn gives no reason, not even an empty one, when there was no close message.
        return Departure(message["code"], "the client left") if "reason" in message else Departure()

    async def _write(self) -> Outcome:
        """Conversation to client, and the session's deadlines."""
        outbox = self._conversation.outbox
        try:
            for first in self._opening:
                await self._send(first)
            while not outbox.is_done and not self._is_replaced:
                if outbox.is_overfull:
                    raise TimeoutError
                text = outbox.take()
                if text is not None:
                    await self._send(text)
                    await asyncio.sleep(0)  # many may wait; a broken socket is noticed between two of them
                    continue
                deadline = self._conversation.deadline()
                now = asyncio.get_running_loop().time()
                await outbox.wait(None if deadline is None else max(0.0, deadline - now))
                self._conversation.advance()
        except TimeoutError:
            return Outcome.TOO_SLOW
        except CONNECTION_LOST:
            return Outcome.UNREACHABLE
        return Outcome.TOLD

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(self._send_timeout_s):
            await self._socket.send_text(text)


async def say(socket: Line, words: Farewell, timeout_s: float) -> None:
    """Say what a farewell says and close the socket; nothing when nobody is there any more."""
    with suppress(*CONNECTION_LOST, TimeoutError):
        async with asyncio.timeout(timeout_s):
            for text in words.messages:
                await socket.send_text(text)
            await socket.close(words.code, words.reason)
