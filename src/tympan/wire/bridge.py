"""BridgedSession: one v2 client on a v3 service. Messages of either side and the time go in, what to tell the
other side comes out. PURE: standard library and `core` only.

Rules:
- Audio is cut anew to what v3 takes; a control acts exactly where the client gave it.
- Each utterance is told by one FinalTranscript: that of the formatted turn. Where a service sends none, the raw
  one is told instead, after `RAW_FINAL_S` at most.
- What v2 has no words for is passed over; `NO_COUNTERPART` lists it.
- Whatever ends a session that began, SessionTerminated is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from tympan.core.audio import AudioFormat
from tympan.core.errors import ChunkTooLong
from tympan.core.units import Monotonic
from tympan.wire.bridge_parameters import USUAL_MIN_SILENCE_MS
from tympan.wire.close_codes import Ending, v2_ending
from tympan.wire.rechunk import Rechunker
from tympan.wire.server_protocol import Farewell
from tympan.wire.v2 import client_messages as asked
from tympan.wire.v2 import messages as v2
from tympan.wire.v2.messages import encode_server, moment
from tympan.wire.v2.server import mean_confidence
from tympan.wire.v3 import messages as v3

RAW_FINAL_S = 1.0
"""How long a raw final waits for its formatted one; services send it at once."""

MAX_MESSAGE_MS = 10_000
"""Audio in one message of a client; as the server takes by default."""

CLIENT_ROWS = (
    ("binary audio", "binary audio", "in pieces of 50 to 1000 ms; what is shorter waits for more, or for a control"),
    ('`{"audio_data": …}`', "binary audio", "decoded"),
    ('`{"force_end_utterance": true}`', "`ForceEndpoint`", "behind the audio before it"),
    (
        '`{"end_utterance_silence_threshold": …}`',
        "`UpdateConfiguration`",
        "`max_turn_silence` and `min_turn_silence`; 0 counts as 1",
    ),
    ('`{"terminate_session": true}`', "`Terminate`", "behind the audio before it"),
)
SERVER_ROWS = (
    ("`Begin`", "`SessionBegins`", "the service's id, if it is a UUID of version 4; `expires_at` in ISO time"),
    ("`Turn`, `end_of_turn` false", "`PartialTranscript`", "all words, final or not; none when it reads the same"),
    ("`Turn`, `turn_is_formatted` true", "`FinalTranscript`", "`punctuated` and `text_formatted` true"),
    (
        "`Turn`, `end_of_turn` true, not formatted",
        "",
        f"left to the formatted one; if none comes within {RAW_FINAL_S:g} s, told as `FinalTranscript` with both false",
    ),
    ("`Termination`", "`SessionInformation`, `SessionTerminated`", "the first only when it was asked for"),
    ("`Error`, close code", '`{"error": …}`, `SessionTerminated`, close code', "see below"),
)
"""The message mapping, for the bridge's reference."""

NO_COUNTERPART = {
    "SpeechStarted": "passed over: v2 has no such message",
    "Warning": "passed over, and logged by the bridge",
    "Heartbeat, Silence, SpeakerRevision, LLMGatewayResponse": "never asked for; passed over",
    "Turn.turn_order, end_of_turn_confidence, utterance, language_code, speaker_label": "left out",
    "reconnecting upstream": "not told: the client hears a pause, and no audio is lost",
}
"""What v3 says and v2 can't, and what becomes of it."""

ToUpstream = bytes | v3.PlainClientMessage
"""A piece of audio or a control message."""


@dataclass(slots=True)
class _OpenTurn:
    """What the client was last shown of an utterance, and a raw final that waits for a formatted one."""

    shown: str = ""
    raw_final: v3.Turn | None = None
    due_at: Monotonic | None = None


class BridgedSession:
    """The rules of one session. `unix_clock` gives seconds since 1970; `own_id` is a UUID of version 4."""

    def __init__(
        self, audio: AudioFormat, *, wants_information: bool, own_id: str, unix_clock: Callable[[], float]
    ) -> None:
        self._audio = audio
        self._wants_information = wants_information
        self._own_id = own_id
        self._unix_clock = unix_clock
        self._rechunker = Rechunker(audio)
        self._received_bytes = 0
        self._turn = _OpenTurn()
        self._ended_order = -1  # of the last turn that was told by a final
        self._told_until_ms = 0
        self._has_begun = False
        self._is_terminating = False

    @property
    def received_s(self) -> float:
        """Audio received so far."""
        return self._audio.duration_ms(self._received_bytes) / 1000

    def receive_audio(self, payload: bytes) -> list[ToUpstream]:
        """A binary message of the client.

        Raises:
            ChunkTooLong: it holds more than `MAX_MESSAGE_MS`.
        """
        if self._is_terminating:
            return []
        duration_ms = self._audio.duration_ms(len(payload))
        if duration_ms > MAX_MESSAGE_MS:
            raise ChunkTooLong(f"{duration_ms:.1f} ms of audio in one message, at most {MAX_MESSAGE_MS} ms are taken")
        self._received_bytes += len(payload)
        return list[ToUpstream](self._rechunker.receive(payload))

    def receive_text(self, text: str | bytes) -> list[ToUpstream]:
        """A text message of the client.

        Raises:
            ProtocolError: it can't be used; the session ends (see `farewell`).
        """
        if self._is_terminating:
            return []  # as on the server: what was said is still to be told
        message = asked.decode_client(text)
        match message:
            case asked.AudioData(payload):
                return self.receive_audio(payload)
            case asked.TerminateSession():
                return self.terminate()
            case asked.ForceEndUtterance():
                return [*self._rechunker.flush(), v3.ForceEndpoint()]
            case asked.EndUtteranceSilenceThreshold(silence_ms):
                return [*self._rechunker.flush(), silence_update(silence_ms)]
            case asked.NothingAsked():
                return []
            case _:
                assert_never(message)

    def terminate(self) -> list[ToUpstream]:
        """The client wants no more, or the bridge stops: all that was heard is told first. Idempotent."""
        if self._is_terminating:
            return []
        self._is_terminating = True
        return [*self._rechunker.flush(), v3.Terminate()]

    def begin(self, begin: v3.Begin) -> tuple[str, ...]:
        """The service began the session. Old clients need an id of UUID version 4: where it isn't one, our own."""
        self._has_begun = True
        session_id = begin.id if _is_uuid_4(begin.id) else self._own_id
        return (encode_server(v2.SessionBegins(session_id, moment(begin.expires_at))),)

    def receive_turn(self, turn: v3.Turn, now: Monotonic) -> tuple[str, ...]:
        """The service told of a turn."""
        if turn.turn_order <= self._ended_order:
            return ()  # told already
        waiting = self._turn.raw_final
        is_earlier_one = waiting is not None and turn.turn_order != waiting.turn_order
        earlier = self.flush() if is_earlier_one else ()
        if not turn.end_of_turn:
            return (*earlier, *self._updated(turn))
        if turn.turn_is_formatted:
            return (*earlier, *self._ended(turn))
        self._turn.raw_final, self._turn.due_at = turn, Monotonic(now + RAW_FINAL_S)
        return earlier

    def deadline(self) -> Monotonic | None:
        """When `advance` next matters."""
        return self._turn.due_at

    def advance(self, now: Monotonic) -> tuple[str, ...]:
        """Time passed."""
        due_at = self._turn.due_at
        return self.flush() if due_at is not None and now >= due_at else ()

    def flush(self) -> tuple[str, ...]:
        """Tell the raw final that waits, if there is one: no formatted one will come."""
        return () if self._turn.raw_final is None else self._ended(self._turn.raw_final)

    def over(self) -> tuple[str, ...]:
        """The service ended the session gracefully, after everything else was told."""
        last: list[v2.ServerMessage] = []
        if self._wants_information:
            last.append(v2.SessionInformation(self.received_s))
        return (*self.flush(), *map(encode_server, (*last, v2.SessionTerminated())))

    def farewell(self, ending: Ending) -> Farewell:
        """How to leave with this ending; after a graceful one `over` has told all."""
        told: list[v2.ServerMessage] = []
        if ending.error is not None:
            told.append(v2.Error(ending.error))
            if self._has_begun:
                told.append(v2.SessionTerminated())
        return Farewell((*self.flush(), *map(encode_server, told)), ending.code, ending.reason)

    def _updated(self, turn: v3.Turn) -> tuple[str, ...]:
        text = " ".join(word.text for word in turn.words)
        if not text or text == self._turn.shown:
            return ()
        self._turn.shown = text
        start_ms, end_ms = self._span(turn)
        return (
            encode_server(
                v2.PartialTranscript(
                    audio_start=start_ms,
                    audio_end=end_ms,
                    confidence=mean_confidence([word.confidence for word in turn.words]),
                    text=text,
                    words=_words(turn),
                    created=moment(self._unix_clock()),
                )
            ),
        )

    def _ended(self, turn: v3.Turn) -> tuple[str, ...]:
        start_ms, end_ms = self._span(turn)
        self._turn = _OpenTurn()
        self._ended_order = turn.turn_order
        if not turn.transcript and not turn.words:
            return ()  # some services end a session with one that says nothing
        self._told_until_ms = end_ms
        return (
            encode_server(
                v2.FinalTranscript(
                    audio_start=start_ms,
                    audio_end=end_ms,
                    confidence=mean_confidence([word.confidence for word in turn.words]),
                    text=turn.transcript,
                    words=_words(turn),
                    created=moment(self._unix_clock()),
                    punctuated=turn.turn_is_formatted,
                    text_formatted=turn.turn_is_formatted,
                )
            ),
        )

    def _span(self, turn: v3.Turn) -> tuple[int, int]:
        """First and last time of a turn; without words, the audio since the utterance before."""
        if turn.words:
            return turn.words[0].start, turn.words[-1].end
        return self._told_until_ms, max(self._told_until_ms, self._audio.position_ms(self._received_bytes))


def silence_update(silence_ms: int) -> v3.UpdateConfiguration:
    """The change that makes turns end after that much silence, and on silence alone."""
    shortest_ms, longest_ms = asked.turn_silences(silence_ms, USUAL_MIN_SILENCE_MS)
    return v3.UpdateConfiguration(
        min_turn_silence=shortest_ms, max_turn_silence=longest_ms, end_of_turn_confidence_threshold=1.0
    )


def refused(error: Exception) -> Farewell:
    """How a connection ends that was refused by the bridge before a session began upstream."""
    ending = v2_ending(error)
    told = () if ending.error is None else (encode_server(v2.Error(ending.error)),)
    return Farewell(told, ending.code, ending.reason)


def _words(turn: v3.Turn) -> tuple[v2.Word, ...]:
    return tuple(v2.Word(word.start, word.end, word.confidence, word.text) for word in turn.words)


def _is_uuid_4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4
    except ValueError:
        return False
