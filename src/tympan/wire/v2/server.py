"""V2ServerProtocol: text messages of a v2 client → core inputs, core events → text messages. PURE.

It may import `core` only; how words are written and what time it is are passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from tympan.core import effects, events
from tympan.core.config import ConfigUpdate, OutputConfig, SessionConfig
from tympan.core.words import Word
from tympan.wire.close_codes import v2_ending
from tympan.wire.server_protocol import Audio, ClientInput, Farewell, KeepAlive
from tympan.wire.v2 import client_messages as asked
from tympan.wire.v2 import messages
from tympan.wire.v2.messages import ServerMessage, encode_server, moment
from tympan.wire.v2.params import ConnectionOptions
from tympan.wire.wording import Wording, rounded, transcript_of


def farewell(error: Exception | None) -> Farewell:
    """How a connection ends whose session never began."""
    return _farewell(error, ())


class V2ServerProtocol:
    """The server's side of one v2 connection. `unix_clock` gives seconds since 1970."""

    def __init__(
        self,
        config: SessionConfig,
        options: ConnectionOptions,
        wording: Wording,
        unix_clock: Callable[[], float],
    ) -> None:
        self._is_strict = config.limits.is_strict
        self._usual_min_silence_ms = config.turn.min_silence_ms
        self._output: OutputConfig = config.output
        self._options = options
        self._wording = wording
        self._unix_clock = unix_clock
        self._shown = ""  # text of the last partial of the open turn
        self._has_begun = False

    def receive_text(self, text: str | bytes) -> ClientInput:
        """What a text message asks for.

        Raises:
            ProtocolError: the message can't be used; the connection ends (see `farewell`).
        """
        message = asked.decode_client(text, is_strict=self._is_strict)
        match message:
            case asked.AudioData(payload):
                return Audio(payload)
            case asked.TerminateSession():
                return effects.Finish()
            case asked.ForceEndUtterance():
                return effects.ForceEndpoint()
            case asked.EndUtteranceSilenceThreshold(silence_ms):
                shortest_ms, longest_ms = asked.turn_silences(silence_ms, self._usual_min_silence_ms)
                return ConfigUpdate(min_silence_ms=shortest_ms, max_silence_ms=longest_ms)
            case asked.NothingAsked():
                return KeepAlive()
            case _:
                assert_never(message)

    def messages_for(self, event: events.Event) -> tuple[str, ...]:
        """The text messages that tell a client of an event, in order; often none."""
        return tuple(encode_server(message) for message in self._told(event))

    def farewell(self, error: Exception | None) -> Farewell:
        """How the session ends. A client that has seen it begin is told that it is over, whatever the reason:
        old clients wait for that."""
        is_over = error is not None and self._has_begun
        return _farewell(error, (messages.SessionTerminated(),) if is_over else ())

    def _told(self, event: events.Event) -> list[ServerMessage]:
        match event:
            case events.SessionBegan(session_id, expires_at_unix_s):
                self._has_begun = True
                return [messages.SessionBegins(session_id, moment(expires_at_unix_s))]
            case events.SpeechStarted():
                return []  # v2 has no such message
            case events.SessionResumed() | events.CheckpointReached():
                return []  # nor can its sessions be resumed
            case events.SilencePassed() | events.Heartbeat():
                return []  # nor asks anybody for these
            case events.TurnUpdated(words=words):
                return self._updated(words)
            case events.TurnEnded():
                return [self._ended(event)]
            case events.ConfigurationChanged(config):
                self._output = config.output
                return []
            case events.SessionEnded(audio_duration_s):
                return self._over(audio_duration_s)
            case _:
                assert_never(event)

    def _updated(self, spoken: tuple[Word, ...]) -> list[ServerMessage]:
        words = self._wording.raw(spoken, filter_profanity=self._output.filter_profanity)
        text = transcript_of(words)
        if text == self._shown or not self._output.include_partial_turns:
            return []
        self._shown = text
        if not text:
            return []  # handlers pass over empty texts, so there is no way to take words back
        return [
            messages.PartialTranscript(
                audio_start=words[0].start_ms,
                audio_end=words[-1].end_ms,
                confidence=mean_confidence([word.confidence for word in words]),
                text=text,
                words=_wire_words(words),
                created=moment(self._unix_clock()),
            )
        ]

    def _ended(self, event: events.TurnEnded) -> ServerMessage:
        self._shown = ""
        # Losing the words of a turn is worse than leaving them uncorrected.
        spoken = event.formatted_words or event.words
        words = self._wording.formatted(spoken, filter_profanity=self._output.filter_profanity)
        return messages.FinalTranscript(
            audio_start=words[0].start_ms,
            audio_end=words[-1].end_ms,
            confidence=mean_confidence([word.confidence for word in words]),
            text=transcript_of(words),
            words=_wire_words(words),
            created=moment(self._unix_clock()),
            punctuated=True,
            text_formatted=True,
        )

    def _over(self, audio_duration_s: float) -> list[ServerMessage]:
        terminated = messages.SessionTerminated()
        if not self._options.wants_information:
            return [terminated]  # a client that didn't ask may not survive the answer
        return [messages.SessionInformation(audio_duration_s), terminated]


def mean_confidence(confidences: list[float]) -> float:
    """The confidence of a transcript; 0 without words."""
    return rounded(sum(confidences) / len(confidences)) if confidences else 0.0


def _farewell(error: Exception | None, last: tuple[ServerMessage, ...]) -> Farewell:
    ending = v2_ending(error)
    told: tuple[ServerMessage, ...] = () if ending.error is None else (messages.Error(ending.error),)
    return Farewell(tuple(encode_server(message) for message in (*told, *last)), ending.code, ending.reason)


def _wire_words(words: tuple[Word, ...]) -> tuple[messages.Word, ...]:
    return tuple(
        messages.Word(start=word.start_ms, end=word.end_ms, confidence=rounded(word.confidence), text=word.text)
        for word in words
        if word.text
    )
