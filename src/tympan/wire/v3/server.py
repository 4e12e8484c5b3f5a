"""V3ServerProtocol: text messages of a client → core inputs, core events → text messages. PURE.

It may import `core` only; how words are written is passed in. How turns are shown is the affair of the profile's
view; what the output configuration in force asks for beside turns is told here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from tympan.core import effects, events
from tympan.core.config import SessionConfig
from tympan.wire.close_codes import v3_ending
from tympan.wire.server_protocol import Acknowledged, ClientInput, Farewell, KeepAlive
from tympan.wire.v3 import messages
from tympan.wire.v3.language import with_language
from tympan.wire.v3.messages import CLIENT_CODEC, RESUMABLE_CLIENT_CODEC, SERVER_CODEC, ClientMessage, ServerMessage
from tympan.wire.v3.params import ConnectionOptions
from tympan.wire.v3.profiles import view_of
from tympan.wire.v3.update import config_update
from tympan.wire.wording import Wording, rounded


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
        self._options = options
        self._voice_focus = None if config.focus is None else str(config.focus.microphone)
        self._wording = wording
        self._view = view_of(options.profile, config.output, wording)
        self._decode: Callable[[str | bytes], ClientMessage] = CLIENT_CODEC.decode

    def receive_text(self, text: str | bytes) -> ClientInput:
        """What a text message asks for. `Finish` is the protocol's Terminate.

        Raises:
            ProtocolError: the message can't be used; the connection ends (see `farewell`).
        """
        message = self._decode(text)
        match message:
            case messages.UpdateConfiguration():
                return config_update(message, profile=self._options.profile, is_strict=self._is_strict)
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
                return self._view.started(event)
            case events.TurnUpdated():
                return self._with_language(self._view.updated(event))
            case events.TurnEnded():
                return self._with_language(self._view.ended(event))
            case events.ConfigurationChanged(config):
                self._view.output = config.output
                return []
            case events.SilencePassed(start_ms, end_ms):
                return [messages.Silence(start_ms, end_ms)]
            case events.Heartbeat(audio_ms, duration_ms, factor, probability):
                return [messages.Heartbeat(audio_ms, duration_ms, rounded(factor), rounded(probability))]
            case events.CheckpointReached(received_bytes, settled_ms, texts_received):
                return [messages.Checkpoint(received_bytes, settled_ms, texts_received)]
            case events.SessionEnded(audio_duration_s, session_duration_s):
                return [messages.Termination(round(audio_duration_s), round(session_duration_s))]
            case _:
                assert_never(event)

    def _begin(self, event: events.SessionBegan) -> ServerMessage:
        configuration = messages.Configuration(
            model=self._options.speech_model,
            mode=self._options.mode,
            api_version=self._options.api_version,
            speaker_labels=False,
            redact_pii=False,
            filter_profanity=self._view.output.filter_profanity,
            voice_focus=self._voice_focus,
        )
        if event.resume is None:
            return messages.Begin(event.session_id, event.expires_at_unix_s, configuration)
        self._decode = RESUMABLE_CLIENT_CODEC.decode
        key, window_s = event.resume.key, event.resume.window_s
        return messages.Begin(event.session_id, event.expires_at_unix_s, configuration, key, window_s)

    def _with_language(self, turns: list[messages.Turn]) -> list[ServerMessage]:
        language = self._wording.language
        if language is None or not self._view.output.has_language:
            return [*turns]
        return [with_language(turn, language) for turn in turns]
