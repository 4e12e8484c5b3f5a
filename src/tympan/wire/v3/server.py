"""V3ServerProtocol: text messages of a client → core inputs, core events → text messages. PURE.

It may import `core` only; how words are written is passed in. It holds what a connection's messages
depend on: the profile, the output configuration in force, and what the client was last shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from tympan.core import effects, events
from tympan.core.config import OutputConfig, SessionConfig
from tympan.core.words import Word
from tympan.wire.close_codes import v3_ending
from tympan.wire.server_protocol import Acknowledged, ClientInput, Farewell, KeepAlive
from tympan.wire.v3 import messages
from tympan.wire.v3.messages import CLIENT_CODEC, RESUMABLE_CLIENT_CODEC, SERVER_CODEC, ClientMessage, ServerMessage
from tympan.wire.v3.params import ConnectionOptions
from tympan.wire.v3.profiles import final_turn, partial_turn
from tympan.wire.v3.update import config_update
from tympan.wire.wording import Wording, transcript_of

_Reading = tuple[tuple[str, bool], ...]
"""What a partial reads like: the text and finality of each word."""


def farewell(error: Exception | None) -> Farewell:
    """How a connection ends, at any time, also before its session began; None means gracefully."""
    ending = v3_ending(error)
    if ending.error is None:
        return Farewell((), ending.code, ending.reason)
    message = messages.Error(error=ending.error, error_code=ending.code)
    return Farewell((SERVER_CODEC.encode(message),), ending.code, ending.reason)


class V3ServerProtocol:
    """The server's side of one v3 connection."""

    def __init__(self, config: SessionConfig, options: ConnectionOptions, wording: Wording) -> None:
        self._is_strict = config.limits.is_strict
        self._output: OutputConfig = config.output
        self._options = options
        self._wording = wording
        self._shown: _Reading = ()
        self._decode: Callable[[str | bytes], ClientMessage] = CLIENT_CODEC.decode

    def receive_text(self, text: str | bytes) -> ClientInput:
        """What a text message asks for. `Finish` is the protocol's Terminate.

        Raises:
            ProtocolError: the message can't be used; the connection ends (see `farewell`).
        """
        message = self._decode(text)
        match message:
            case messages.UpdateConfiguration():
                return config_update(message, is_strict=self._is_strict)
            case messages.ForceEndpoint():
                return effects.ForceEndpoint()
            case messages.Terminate():
                return effects.Finish()
            case messages.KeepAlive():
                return KeepAlive()
            case messages.Acknowledge(count):
                return Acknowledged(count)
            case _:
                assert_never(message)

    def farewell(self, error: Exception | None) -> Farewell:
        """How the session ends; the same at any time."""
        return farewell(error)

    def messages_for(self, event: events.Event) -> tuple[str, ...]:
        """The text messages that tell a client of an event, in order; often none."""
        return tuple(SERVER_CODEC.encode(message) for message in self._told(event))

    def _told(self, event: events.Event) -> list[ServerMessage]:
        match event:
            case events.SessionBegan():
                return [self._begin(event)]
            case events.SessionResumed(session_id, expires_at_unix_s, received_bytes, texts_received):
                return [messages.Resumed(session_id, received_bytes, texts_received, expires_at_unix_s)]
            case events.SpeechStarted():
                return []  # the US profile has no such message
            case events.TurnUpdated():
                return self._updated(event)
            case events.TurnEnded():
                return self._ended(event)
            case events.ConfigurationChanged(config):
                self._output = config.output
                return []
            case events.CheckpointReached(received_bytes, settled_ms, texts_received):
                return [messages.Checkpoint(received_bytes, settled_ms, texts_received)]
            case events.SessionEnded(audio_duration_s, session_duration_s):
                return [messages.Termination(round(audio_duration_s), round(session_duration_s))]
            case _:
                assert_never(event)

    def _begin(self, event: events.SessionBegan) -> ServerMessage:
        configuration = messages.Configuration(
            model=self._options.speech_model,
            api_version=self._options.api_version,
            speaker_labels=False,
            redact_pii=False,
            filter_profanity=self._output.filter_profanity,
        )
        if event.resume is None:
            return messages.Begin(event.session_id, event.expires_at_unix_s, configuration)
        self._decode = RESUMABLE_CLIENT_CODEC.decode
        key, window_s = event.resume.key, event.resume.window_s
        return messages.Begin(event.session_id, event.expires_at_unix_s, configuration, key, window_s)

    def _updated(self, event: events.TurnUpdated) -> list[ServerMessage]:
        if not self._output.include_partial_turns:
            return []
        words = self._raw(event.words)
        turn = partial_turn(event, words, self._utterance(event.utterance_words))
        reading = tuple((word.text, word.word_is_final) for word in turn.words)
        if reading == self._shown and not turn.utterance:
            return []
        self._shown = reading
        return [turn]

    def _ended(self, event: events.TurnEnded) -> list[ServerMessage]:
        self._shown = ()
        utterance = self._utterance(event.utterance_words)
        raw = final_turn(event, self._raw(event.words), utterance=utterance, is_formatted=False)
        if not self._formats_turns:
            return [raw]
        # Losing the words of a turn is worse than leaving them uncorrected.
        words = self._formatted(event.formatted_words or event.words)
        return [raw, final_turn(event, words, utterance="", is_formatted=True)]

    @property
    def _formats_turns(self) -> bool:
        return self._output.format_turns and self._options.profile.has_formatted_final

    def _utterance(self, words: tuple[Word, ...]) -> str:
        """Formatted if turns are (protocol reference, section 5.1)."""
        return transcript_of(self._formatted(words) if self._formats_turns else self._raw(words))

    def _raw(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        return self._wording.raw(words, filter_profanity=self._output.filter_profanity)

    def _formatted(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        return self._wording.formatted(words, filter_profanity=self._output.filter_profanity)
