"""The seam between a conversation and its socket, for engines that play a script: cues are performed here.

A `StagedLine` has the face of the socket that a connection would hold, and stands between the two. Ordinary servers
have no stage, and their connections hold the socket itself.

Rules:
- What is due is the director's affair; nothing is decided here.
- A cue that waits for audio comes once everything before it has been judged and told: what a client gets depends on
  its audio alone.
- What a cue says goes through the conversation's outbox, so that it is counted like any other message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, assert_never
from weakref import WeakKeyDictionary

from starlette.websockets import WebSocket, WebSocketDisconnect

from tympan.script.cues import Act, Close, Drop, FallSilent, Pause, Say
from tympan.script.director import Director
from tympan.script.keys import LONGEST_MS
from tympan.server.record import VANISHED
from tympan.wire.close_codes import V3_ERROR_REASON, V3_GRACEFUL
from tympan.wire.v3.messages import SERVER_CODEC, Error

if TYPE_CHECKING:
    from tympan.script.programme import Player
    from tympan.server.conversation import Conversation

PATIENCE_S = LONGEST_MS / 1000
"""For a client to take a message: a pause of the script is no client that reads too slowly."""

_TOLD_POLL_S = 0.001


class Witness(Protocol):
    """Who follows one connection of a staged server. Every method returns at once."""

    def heard_audio(self, payload: bytes) -> None:
        """A binary message came."""

    def heard_text(self, text: str) -> None:
        """A text message came."""

    def counted(self, received_ms: int) -> None:
        """The session has received so much audio."""

    def told(self, text: str) -> None:
        """A text message was sent."""

    def closed(self, code: int) -> None:
        """This side closes, or cuts with `VANISHED`."""

    def left(self, code: int) -> None:
        """The client closed, or was lost with `VANISHED`."""


class Unwatched:
    """Nobody follows."""

    def heard_audio(self, payload: bytes) -> None: ...

    def heard_text(self, text: str) -> None: ...

    def counted(self, received_ms: int) -> None: ...

    def told(self, text: str) -> None: ...

    def closed(self, code: int) -> None: ...

    def left(self, code: int) -> None: ...


def _nobody(query: str, headers: Mapping[str, str]) -> Witness:
    return Unwatched()


class Stage:
    """What the connections of a staged server share. `witness` is asked for one for each connection, by the query and
    the headers with which it came."""

    def __init__(self, player: Player, witness: Callable[[str, Mapping[str, str]], Witness] = _nobody) -> None:
        self._player = player
        self._witness = witness
        self._played: WeakKeyDictionary[Conversation, Director] = WeakKeyDictionary()

    def admit(self, socket: WebSocket) -> StagedLine:
        """A connection came."""
        return StagedLine(socket, self._witness(socket.url.query, socket.headers), self._direction_of)

    def _direction_of(self, conversation: Conversation) -> Direction:
        """What is played in a conversation that has just begun, or goes on over another connection."""
        if conversation not in self._played:
            self._played[conversation] = Director(self._player.current.cues)
        return Direction(conversation, self._played[conversation])


@dataclass(frozen=True, slots=True)
class Direction:
    """What a conversation plays."""

    conversation: Conversation
    director: Director

    @property
    def is_all_told(self) -> bool:
        """All audio that came is judged and told; or nothing more will be."""
        talk = self.conversation
        return talk.farewell is not None or (talk.is_all_judged and talk.outbox.is_empty)


class StagedLine:
    """One connection's socket, with what the script makes of it."""

    def __init__(self, socket: WebSocket, witness: Witness, direction_of: Callable[[Conversation], Direction]) -> None:
        self._socket = socket
        self._witness = witness
        self._direction_of = direction_of
        self._direction: Direction | None = None
        self._speaking = asyncio.Lock()  # held while nothing may be said
        self._listening: asyncio.Timeout | None = None  # of a receive that may be given up
        self._is_silent = False
        self._departure: dict[str, Any] | None = None  # what the conversation is told once the script has ended it

    def follow(self, conversation: Conversation) -> None:
        """This is what the line serves; until then nothing but refusals passes."""
        self._direction = self._direction_of(conversation)

    async def receive(self) -> Any:
        """The next message of the client, once the script has had its say about the one before."""
        await self._act_on_audio()
        message = self._departure or await self._receive()
        while self._is_silent and message["type"] == "websocket.receive":
            message = self._departure or await self._receive()
        if message.get("text") is not None and self._direction is not None:
            await self._perform_when_told(self._direction.director.receive_text(message["text"]))
        return self._departure or message

    async def send_text(self, data: str) -> None:
        """Say something, unless the script has it otherwise.

        Raises:
            WebSocketDisconnect: the script has ended the connection, or the client is gone.
        """
        if self._direction is None:
            await self._say(data)
            return
        director = self._direction.director
        await self._perform(director.before_message(data), self._say)
        await self._say(data)
        await self._perform(director.after_message(), self._say_later)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close, unless the script has ended the connection or fallen silent."""
        async with self._speaking:
            self._check_open()
            if not self._is_silent:
                await self._close(code, reason or "")

    async def _receive(self) -> Any:
        try:
            async with asyncio.timeout(None) as self._listening:
                message = await self._socket.receive()
        except TimeoutError:
            return self._departure
        finally:
            self._listening = None
        self._show(message)
        return message

    def _show(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.disconnect":
            self._witness.left(message["code"] if "reason" in message else VANISHED)
        elif message.get("bytes") is not None:
            self._witness.heard_audio(message["bytes"])
        else:
            self._witness.heard_text(message["text"])

    async def _act_on_audio(self) -> None:
        if self._direction is not None and not self._is_silent:
            received_ms = self._direction.conversation.received_ms
            self._witness.counted(received_ms)
            await self._perform_when_told(self._direction.director.receive_audio(received_ms))

    async def _perform_when_told(self, acts: list[Act]) -> None:
        if not acts or self._direction is None:
            return
        while not self._direction.conversation.is_all_judged and self._departure is None:
            await asyncio.sleep(_TOLD_POLL_S)
        await asyncio.sleep(0)  # what was heard last is on its way through the loop
        while not self._direction.is_all_told and self._departure is None:
            await asyncio.sleep(_TOLD_POLL_S)
        async with self._speaking:  # the last message is on its way
            pass
        await self._perform(acts, self._say_later)

    async def _perform(self, acts: list[Act], say: Callable[[str], Awaitable[None]]) -> None:
        for act in acts:
            if self._departure is not None or self._is_silent:
                return
            match act:
                case Say(text):
                    await say(text)
                case Pause(duration_ms):
                    async with self._speaking:
                        await asyncio.sleep(duration_ms / 1000)
                case FallSilent():
                    self._is_silent = True
                case Close(code, error):
                    await self._end(code, error)
                case Drop():
                    self._witness.closed(VANISHED)
                    self._leave({"type": "websocket.disconnect", "code": VANISHED})
                case _:
                    assert_never(act)

    async def _say(self, text: str) -> None:
        async with self._speaking:
            self._check_open()
            if not self._is_silent:
                await self._socket.send_text(text)
                self._witness.told(text)

    async def _say_later(self, text: str) -> None:
        if self._direction is not None:
            self._direction.conversation.outbox.put(text)

    async def _end(self, code: int, error: str) -> None:
        if error:
            await self._say(SERVER_CODEC.encode(Error(error=error, error_code=code)))
        async with self._speaking:
            await self._close(code, V3_ERROR_REASON if error else V3_GRACEFUL.reason)
        # For the conversation it is as if the client had left for good: it isn't kept.
        self._leave({"type": "websocket.disconnect", "code": V3_GRACEFUL.code, "reason": ""})

    async def _close(self, code: int, reason: str) -> None:
        self._witness.closed(code)
        await self._socket.close(code, reason)

    def _leave(self, departure: dict[str, Any]) -> None:
        self._departure = departure
        if self._listening is not None:
            self._listening.reschedule(asyncio.get_running_loop().time())

    def _check_open(self) -> None:
        if self._departure is not None:
            raise WebSocketDisconnect(VANISHED)
