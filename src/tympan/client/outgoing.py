"""What a caller has to say, and how much of it the present connection has been given. PURE.

Everything is kept in a `Replay` until it is settled, so that another connection can go on from anywhere in it.
Rules beside those of `core.replay`:
- Where nothing settles the audio, the oldest that was sent makes room for new audio; what wasn't sent never does.
- Configuration that changed before the audio that is kept becomes part of a new session's parameters.
"""

from __future__ import annotations

from collections import deque
from dataclasses import fields

from tympan.core.audio import AudioFormat
from tympan.core.replay import Position, Replay
from tympan.core.units import StreamMs
from tympan.wire.v3.client import ParameterValue, encode_message
from tympan.wire.v3.messages import PlainClientMessage, Terminate, UpdateConfiguration

_CONTROL_OVERHEAD_BYTES = 200
"""What a kept control takes in memory besides its text."""


class Outgoing:
    """One conversation's audio and controls. `keeps_sent` is False where no other connection will follow."""

    def __init__(self, audio: AudioFormat, *, max_kept_ms: int, keeps_sent: bool = True) -> None:
        self._audio = audio
        self._keeps_sent = keeps_sent
        self._replay: Replay[PlainClientMessage] = Replay(audio, audio.byte_position(StreamMs(max_kept_ms)))
        self._unsent: deque[bytes | PlainClientMessage] = deque()
        self._sent = Position()
        self._settled_ms = StreamMs(0)
        self._configuration: dict[str, ParameterValue] = {}
        self._terminate_number: int | None = None
        self.may_release = True
        """What was sent may make room; False while it may have to be sent again."""

    @property
    def offered_ms(self) -> StreamMs:
        """Audio given so far."""
        return self._audio.position_ms(self._replay.end.audio_bytes)

    @property
    def sent_ms(self) -> StreamMs:
        """Audio that was sent, on this connection and before."""
        return self._audio.position_ms(self._sent.audio_bytes)

    @property
    def start_ms(self) -> StreamMs:
        """Time of the first audio that is kept."""
        return self._replay.start_ms

    @property
    def has_sent_terminate(self) -> bool:
        """The server has been told to end the session."""
        return self._terminate_number is not None and self._terminate_number < self._sent.messages

    @property
    def unsettled_ms(self) -> int:
        """How much of the audio before `start_ms` has no final word and couldn't be kept."""
        return max(0, self.start_ms - self._settled_ms)

    def has_room(self, byte_count: int) -> bool:
        """That much can be kept, if need be in place of the oldest audio that was sent."""
        sent_bytes = self._sent.audio_bytes - self._replay.start.audio_bytes if self.may_release else 0
        return byte_count <= self._replay.free_bytes + sent_bytes

    def offer_audio(self, payload: bytes) -> None:
        """Audio to send after everything offered before, as one message.

        Raises:
            ReplayFull: there is no room; nothing of it is taken.
        """
        self._make_room(len(payload))
        self._replay.keep_audio(payload)
        self._unsent.append(payload)

    def offer_control(self, message: PlainClientMessage) -> None:
        """A control to send after everything offered before. Raises ReplayFull."""
        byte_count = kept_bytes(message)
        self._make_room(byte_count)
        if isinstance(message, Terminate):
            self._terminate_number = self._replay.end.messages
        self._replay.keep_message(message, byte_count)
        self._unsent.append(message)

    def take(self) -> bytes | PlainClientMessage | None:
        """The next thing to send, which counts as sent then; None when nothing is left."""
        if not self._unsent:
            return None
        item = self._unsent.popleft()
        if isinstance(item, bytes):
            self._sent = Position(self._sent.audio_bytes + len(item), self._sent.messages)
        else:
            self._sent = Position(self._sent.audio_bytes, self._sent.messages + 1)
        if not self._keeps_sent:
            self._forget(self.sent_ms)
        return item

    def settle(self, settled_ms: int, *, keep_ms: int = 0) -> None:
        """Whatever was spoken before is in final words: forget it, but for the last `keep_ms`."""
        self._settled_ms = StreamMs(max(self._settled_ms, settled_ms))
        self._forget(self._settled_ms - keep_ms)

    def release(self, received: Position | None) -> None:
        """For audio that only the same session can go on with: forget what its server says it has received, or, where
        it keeps nothing, all that was sent."""
        sent = self._sent
        if received is not None:
            sent = Position(min(sent.audio_bytes, received.audio_bytes), min(sent.messages, received.messages))
        self._replay.forget_before(sent)

    def ms_at(self, position: Position) -> StreamMs:
        """Time of an audio byte."""
        return self._audio.position_ms(position.audio_bytes)

    def configuration_at(self, from_ms: int) -> dict[str, ParameterValue]:
        """Forget what lies before; what UpdateConfiguration had changed by then, as parameters of a session."""
        self._forget(from_ms)
        return dict(self._configuration)

    def begin_again(self) -> Position:
        """A new session is sent everything that is kept. Returns where that begins."""
        self._rewind(self._replay.start)
        return self._replay.start

    def resume_at(self, received: Position) -> None:
        """The server has received that much, and is sent what follows.

        Raises:
            ProtocolError: that can't be.
        """
        self._rewind(received)

    def _rewind(self, position: Position) -> None:
        self._unsent = deque(self._replay.since(position))
        self._sent = position

    def _make_room(self, byte_count: int) -> None:
        lacking = byte_count - self._replay.free_bytes
        if lacking > 0 and self.has_room(byte_count):
            until = self._replay.start.audio_bytes + lacking
            self._forget(self._audio.position_ms(until) + 1)

    def _forget(self, until_ms: int) -> None:
        for message in self._replay.forget_until(StreamMs(max(0, min(until_ms, self.sent_ms)))):
            self._configuration |= _changes(message)


def kept_bytes(message: PlainClientMessage) -> int:
    """How much room a control takes."""
    return len(encode_message(message)) + _CONTROL_OVERHEAD_BYTES


def _changes(message: PlainClientMessage) -> dict[str, ParameterValue]:
    if not isinstance(message, UpdateConfiguration):
        return {}
    given = ((item.name, getattr(message, item.name)) for item in fields(message))
    changes: dict[str, ParameterValue] = {name: value for name, value in given if value is not None}
    older = changes.pop("min_end_of_turn_silence_when_confident", None)
    if older is not None:
        changes.setdefault("min_turn_silence", older)
    return changes
