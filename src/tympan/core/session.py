"""Session: one client's conversation, from the first byte to the close. PURE: standard library only.

Bytes, controls, what the listener heard, and the time go in; effects come out, to be performed in order.
Rules:
- Controls act in order with the audio: ForceEndpoint directly followed by Terminate loses nothing.
- A deadline that falls before an input fires first.
- Nothing is emitted after `Close`, and `Close` comes once.
- Terminate, the maximum length and a server that stops all tell every word first: they wait for the
  listener.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import assert_never

from tympan.core.audio import AudioFormat
from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.effects import Close, Effect, Emit, Feed, Finish, ForceEndpoint, Mark
from tympan.core.errors import (
    AudioTooFast,
    BadAudio,
    BadChunk,
    ChunkTooLong,
    ChunkTooShort,
    Inactive,
    MaxDurationExceeded,
    TympanError,
)
from tympan.core.events import ResumeOffer, SessionBegan, SessionEnded
from tympan.core.heartbeat import HeartbeatTimer
from tympan.core.listening import Heard, ListenerOutput, ListeningFailed
from tympan.core.received import received_audio
from tympan.core.units import Monotonic, StreamMs

SHORT_CHUNKS_MS = 1000
"""Short chunks are an error only after this much of them in a row (protocol reference, section 3)."""

HOSTED_PACE = 1.25
"""Seconds of audio that the hosted service judges in a second, however fast they come (same section)."""

LONGEST_COMPRESSED_CHUNK_MS = 10_000
"""Also where raw audio may have less, as when strict: an Opus packet is short, and a byte stream is cut anywhere."""


class Phase(Enum):
    """Where a session stands."""

    OPEN = "open"
    TERMINATING = "terminating"
    ENDING = "ending"  # with an error, once the listener has told everything
    CLOSED = "closed"


class Session:
    """The rules of one session. `config` may change by `receive_update`; limits don't."""

    def __init__(self, session_id: str, config: SessionConfig, began_at: Monotonic) -> None:
        self.session_id = session_id
        self._config = config
        self._began_at = began_at
        self._last_message_at: Monotonic | None = began_at  # None while the client is lost
        self._phase = Phase.OPEN
        self._received = received_audio(config.audio)
        self._judged_until_ms = StreamMs(0)
        self._short_chunks_ms = 0.0
        self._ending_error: TympanError | None = None
        self._heartbeat = HeartbeatTimer(began_at, is_on=config.output.has_heartbeat)

    @property
    def received_ms(self) -> StreamMs:
        """Audio received so far."""
        return self._received.position_ms

    @property
    def received_bytes(self) -> int:
        """The same in bytes."""
        return self._received.byte_count

    @property
    def backlog_ms(self) -> int:
        """Audio received and not judged yet."""
        return max(0, self.received_ms - self._judged_until_ms)

    @property
    def is_open(self) -> bool:
        """Messages of the client still have an effect."""
        return self._phase is Phase.OPEN

    @property
    def is_closed(self) -> bool:
        return self._phase is Phase.CLOSED

    def begin(self, expires_at_unix_s: int, resume: ResumeOffer | None = None) -> list[Effect]:
        """The first effect; the wall-clock expiry and the offer are only told, never read."""
        return [Emit(SessionBegan(self.session_id, expires_at_unix_s, resume))]

    def receive_audio(self, payload: bytes, now: Monotonic) -> list[Effect]:
        """A binary message came."""
        effects = self._receive_message(now)
        if self._phase is not Phase.OPEN or not payload:
            return effects
        error = self._count(payload)
        if error is not None:
            return [*effects, *self._close(error)]
        too_fast = self._pace_error(now)
        return [*effects, *self._close(too_fast)] if too_fast else [*effects, Feed(payload)]

    def receive_keep_alive(self, now: Monotonic) -> list[Effect]:
        """A message that only shows that the client lives."""
        return self._receive_message(now)

    def receive_force_endpoint(self, now: Monotonic) -> list[Effect]:
        """End the open turn where the audio stands now."""
        return self._receive_control(ForceEndpoint(), now)

    def receive_update(self, update: ConfigUpdate, now: Monotonic) -> list[Effect]:
        """Change the configuration for the audio that comes from now on."""
        effects = self._receive_control(update, now)
        if update.has_heartbeat is not None:
            self._heartbeat.switch(now, is_on=update.has_heartbeat)
        return effects

    def receive_terminate(self, now: Monotonic) -> list[Effect]:
        """End gracefully: everything heard so far is told first."""
        effects = self._receive_control(Finish(), now)
        if self._phase is Phase.OPEN:
            self._phase = Phase.TERMINATING
        return effects

    def receive_heard(self, output: ListenerOutput, now: Monotonic) -> list[Effect]:
        """The listener says what it heard."""
        if self.is_closed:
            return []
        match output:
            case ListeningFailed(error):
                return self._close(error)
            case Heard(judged_until_ms, events, is_finished, speech_probability=speech_probability):
                self._judged_until_ms = judged_until_ms
                self._heartbeat.receive_speech(speech_probability)
                effects: list[Effect] = [Emit(event) for event in events]
                return [*effects, *self._end(now)] if is_finished else effects
            case _:
                assert_never(output)

    def receive_lost(self, now: Monotonic) -> list[Effect]:
        """The connection is lost, and the client is waited for: until it is back no silence of its counts."""
        effects = self.advance(now)
        self._last_message_at = None
        return effects

    def receive_resumed(self, now: Monotonic) -> list[Effect]:
        """The client is back."""
        return self._receive_message(now)

    def end(self, error: TympanError) -> list[Effect]:
        """End with an error, but tell everything heard so far first. A Terminate under way goes on."""
        if self._phase is not Phase.OPEN:
            return []
        self._phase = Phase.ENDING
        self._ending_error = error
        return [Mark(Finish())]

    def refuse(self, error: TympanError) -> list[Effect]:
        """The wire or the shell found a reason to end the session with an error now."""
        return self._close(error)

    def deadline(self) -> Monotonic | None:
        """When `advance` next matters."""
        if self._phase is not Phase.OPEN:
            return None
        return Monotonic(min(self._heartbeat.deadline(), self._expires_at(), self._inactive_at()))

    def advance(self, now: Monotonic) -> list[Effect]:
        """Time passed."""
        deadline = self.deadline()
        if deadline is None or now < deadline:
            return []
        effects: list[Effect] = [Emit(beat) for beat in self._heartbeat.advance(now, self.received_ms)]
        if min(self._expires_at(), self._inactive_at()) > now:
            return effects
        if self._expires_at() <= self._inactive_at():
            return [*effects, *self.end(MaxDurationExceeded("Session Expired: Maximum session duration exceeded"))]
        timeout_s = self._config.limits.inactivity_timeout_s
        inactive = Inactive(f"Session terminated due to inactivity: No messages received for {timeout_s:g} seconds")
        return [*effects, *self._close(inactive)]

    def close(self) -> list[Effect]:
        """The peer is gone; idempotent."""
        self._phase = Phase.CLOSED
        return []

    def _expires_at(self) -> float:
        return self._began_at + self._config.limits.max_duration_s

    def _inactive_at(self) -> float:
        timeout_s = self._config.limits.inactivity_timeout_s
        if timeout_s is None or self._last_message_at is None:
            return math.inf
        return self._last_message_at + timeout_s

    def _receive_message(self, now: Monotonic) -> list[Effect]:
        effects = self.advance(now)
        self._last_message_at = now
        return effects

    def _receive_control(self, control: ForceEndpoint | Finish | ConfigUpdate, now: Monotonic) -> list[Effect]:
        effects = self._receive_message(now)
        return [*effects, Mark(control)] if self._phase is Phase.OPEN else effects

    def _count(self, payload: bytes) -> BadChunk | BadAudio | None:
        """Count the audio of a message, unless it is to be refused."""
        limits = self._config.limits
        low_ms, high_ms = limits.min_chunk_ms, limits.max_chunk_ms
        if not isinstance(self._config.audio, AudioFormat):
            low_ms, high_ms = 0, max(high_ms, LONGEST_COMPRESSED_CHUNK_MS)
        try:
            duration_ms = self._received.receive(payload, high_ms)
        except BadAudio as error:
            return error
        self._short_chunks_ms = self._short_chunks_ms + duration_ms if duration_ms < low_ms else 0.0
        if duration_ms <= high_ms and self._short_chunks_ms < SHORT_CHUNKS_MS:
            return None
        kind = ChunkTooLong if duration_ms > high_ms else ChunkTooShort
        return kind(f"Input Duration Violation: {duration_ms:.1f} ms. Expected between {low_ms} and {high_ms} ms")

    def _pace_error(self, now: Monotonic) -> AudioTooFast | None:
        limits, elapsed_s = self._config.limits, now - self._began_at
        if self.backlog_ms > limits.max_backlog_ms:
            return AudioTooFast(
                f"Audio Transmission Rate Exceeded: {self.backlog_ms / 1000:.1f} sec. of audio wait to be transcribed, "
                f"at most {limits.max_backlog_ms / 1000:.0f} sec. may; send at real time"
            )
        if limits.is_strict and self.received_ms - HOSTED_PACE * elapsed_s * 1000 > limits.max_backlog_ms:
            return AudioTooFast(
                f"Audio Transmission Rate Exceeded: Received {self.received_ms / 1000:.1f} sec. audio "
                f"in {elapsed_s:.1f} sec"
            )
        return None

    def _end(self, now: Monotonic) -> list[Effect]:
        if self._ending_error is not None:
            return self._close(self._ending_error)
        ended = SessionEnded(audio_duration_s=self.received_ms / 1000, session_duration_s=now - self._began_at)
        return [Emit(ended), *self._close(None)]

    def _close(self, error: TympanError | None) -> list[Effect]:
        if self.is_closed:
            return []
        self._phase = Phase.CLOSED
        return [Close(error)]
