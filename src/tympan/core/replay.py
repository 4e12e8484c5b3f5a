"""Replay: what was sent since the last settled point, ready to be sent again. PURE: standard library only.

Whoever sends audio and messages keeps them here until the other side has settled them: a client that may lose its
connection, a gateway that may lose an engine. Rules:
- Positions are absolute: bytes of audio and number of messages since the first of the session.
- Audio and messages stay in the order in which they were sent. A receiver has always got a beginning of it, so two
  counts say how far it got.
- Nothing is dropped to make room: what doesn't fit is refused, and nothing of it is kept.
- What is settled acted before it was settled: messages that stood before it go with the audio.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from tympan.core.audio import AudioFormat
from tympan.core.errors import ProtocolError, ReplayFull
from tympan.core.units import StreamMs

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody got: everything before these counts."""

    audio_bytes: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class _Audio:
    start: int
    payload: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.payload)

    def since(self, position: int) -> _Audio:
        return self if position <= self.start else _Audio(position, self.payload[position - self.start :])


@dataclass(frozen=True, slots=True)
class _Message(Generic[M]):
    at: int  # bytes of audio before it
    number: int
    message: M
    byte_count: int


class Replay(Generic[M]):
    """What was sent and isn't settled, in order; `M` is what its owner calls a message.

    `max_bytes` bounds audio and messages together.
    """

    def __init__(self, audio: AudioFormat, max_bytes: int) -> None:
        self._audio = audio
        self._max_bytes = max_bytes
        self._kept: deque[_Audio | _Message[M]] = deque()
        self._kept_bytes = 0
        self._start = Position()
        self._end = Position()

    @property
    def start(self) -> Position:
        """The first audio byte and message that are still kept."""
        return self._start

    @property
    def end(self) -> Position:
        """All that was sent."""
        return self._end

    @property
    def start_ms(self) -> StreamMs:
        """Time of the first audio kept: what a new session calls 0."""
        return self._audio.position_ms(self._start.audio_bytes)

    @property
    def free_bytes(self) -> int:
        """How much may still be kept."""
        return self._max_bytes - self._kept_bytes

    def keep_audio(self, payload: bytes) -> None:
        """Remember a chunk that is about to be sent.

        Raises:
            ReplayFull: it doesn't fit; nothing of it is kept.
        """
        if not payload:
            return
        self._take(len(payload))
        self._kept.append(_Audio(self._end.audio_bytes, payload))
        self._end = Position(self._end.audio_bytes + len(payload), self._end.messages)

    def keep_message(self, message: M, byte_count: int) -> None:
        """Remember a message that is about to be sent; `byte_count` is what it takes of the room.

        Raises:
            ReplayFull: it doesn't fit; it isn't kept.
        """
        self._take(byte_count)
        self._kept.append(_Message(self._end.audio_bytes, self._end.messages, message, byte_count))
        self._end = Position(self._end.audio_bytes, self._end.messages + 1)

    def forget_until(self, settled_ms: StreamMs) -> list[M]:
        """Forget the audio before that time and the messages that stood before it; returns those messages.

        They have acted, so a session that goes on needs none of them. Who opens a new one must begin it with
        what they changed. A time before `start_ms` forgets nothing, one after the end forgets all whole samples.
        """
        whole = self._end.audio_bytes - self._end.audio_bytes % self._audio.bytes_per_sample
        settled = min(self._audio.byte_position(settled_ms), whole)
        forgotten: list[M] = []
        while self._kept:
            match self._kept[0]:
                case _Audio() as audio if audio.start < settled:
                    self._kept.popleft()
                    rest = audio.since(min(settled, audio.end))
                    self._kept_bytes -= len(audio.payload) - len(rest.payload)
                    self._start = Position(rest.start, self._start.messages)
                    if rest.payload:
                        self._kept.appendleft(rest)
                case _Message(at, number, message, byte_count) if at < settled:
                    self._kept.popleft()
                    self._kept_bytes -= byte_count
                    self._start = Position(self._start.audio_bytes, number + 1)
                    forgotten.append(message)
                case _:
                    break
        return forgotten

    def forget_before(self, position: Position) -> None:
        """Forget whole chunks and messages that stand before a position, for who sends again only what hasn't come."""
        while self._kept:
            match self._kept[0]:
                case _Audio() as audio if audio.end <= position.audio_bytes:
                    self._kept_bytes -= len(audio.payload)
                    self._start = Position(audio.end, self._start.messages)
                case _Message(_, number, _, byte_count) if number < position.messages:
                    self._kept_bytes -= byte_count
                    self._start = Position(self._start.audio_bytes, number + 1)
                case _:
                    break
            self._kept.popleft()

    def since(self, position: Position) -> list[bytes | M]:
        """Everything after a position, in order; a chunk of which a part has come is cut.

        `since(start)` is all that a new session needs.

        Raises:
            ProtocolError: the position is before what is kept, or after what was sent.
        """
        start, end = self._start, self._end
        if not (
            start.audio_bytes <= position.audio_bytes <= end.audio_bytes
            and start.messages <= position.messages <= end.messages
        ):
            raise ProtocolError(f"expected a position from {start} to {end}, got {position}")
        items: list[bytes | M] = []
        for kept in self._kept:
            match kept:
                case _Audio() if kept.end > position.audio_bytes:
                    items.append(kept.since(position.audio_bytes).payload)
                case _Message(_, number, message) if number >= position.messages:
                    items.append(message)
        return items

    def _take(self, byte_count: int) -> None:
        if byte_count > self.free_bytes:
            raise ReplayFull(
                f"{byte_count:,} bytes don't fit: {self._kept_bytes:,} of {self._max_bytes:,} bytes are kept already; "
                "wait until more has been settled"
            )
        self._kept_bytes += byte_count
