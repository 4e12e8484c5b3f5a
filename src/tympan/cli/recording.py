"""A session as a script: what a service said, and how much audio had been sent by then; what `tympan record` does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, fields

from tympan.cli.captioning import LiveInput, Opening, attend
from tympan.cli.converse import Conversation
from tympan.cli.gauges import peak_dbfs
from tympan.cli.notes import GAVE_UP, note_of
from tympan.cli.recorder import Recorder
from tympan.cli.screen import Screen
from tympan.cli.transcript import SpokenTurn
from tympan.client.address import shown_address
from tympan.client.aio import connect
from tympan.client.events import Event
from tympan.client.parameters import SessionParameters
from tympan.client.trust import Trust
from tympan.core.units import StreamMs
from tympan.script.recording import RECORDED, RecordedMessage, recorded_script
from tympan.wire.v3.client import ParameterValue
from tympan.wire.v3.messages import ServerMessage, Turn

_SHOWN = frozenset(parameter.name for parameter in fields(SessionParameters))
"""Parameters that hold no credential; others may."""


@dataclass(frozen=True, slots=True)
class RecordedService:
    """A server as a plain client meets it: nothing is mended, and nothing asked for that others don't ask for."""

    url: str
    api_key: str | None = field(repr=False)
    parameters: Mapping[str, ParameterValue]
    token: str | None = field(default=None, repr=False)
    trust: Trust = None
    is_remote = True

    def session(self, sample_rate_hz: int, *, wants_partials: bool) -> AbstractAsyncContextManager[Conversation]:
        return connect(
            self.url,
            # A key of the environment must not travel beside a token.
            api_key=self.api_key if self.token is None else None,
            token=self.token,
            tls=self.trust,
            parameters=self.values(sample_rate_hz, wants_partials),
            reconnect=None,
        )

    @property
    def wishes(self) -> dict[str, ParameterValue]:
        """The parameters; turns are formatted unless they say otherwise."""
        return {"format_turns": True, **self.parameters}

    def values(self, sample_rate_hz: int, wants_partials: bool) -> dict[str, ParameterValue]:
        """What is asked for; the source decides what the audio is."""
        asked = {"include_partial_turns": wants_partials, **self.wishes}
        return {**asked, "sample_rate": sample_rate_hz, "encoding": "pcm_s16le"}


def record(opening: Opening, service: RecordedService, screen: Screen, recorder: Recorder, scribe: Scribe) -> None:
    """Fill the scribe until the source ends, or Ctrl+C. Raises as `listen_to`; what was said is with the scribe."""
    attend(opening, service, screen, lambda opened: _Recording(opened, screen, recorder, scribe))


class Scribe:
    """Writes down what is said."""

    def __init__(self) -> None:
        self.messages: list[RecordedMessage] = []

    def receive(self, event: Event | ServerMessage, audio_ms: StreamMs) -> None:
        """The service said something when so much audio had been sent."""
        if isinstance(event, RECORDED):
            self.messages.append(RecordedMessage(audio_ms, event))

    def script(self, service: RecordedService) -> str:
        """What was written down, as a script; its remarks hold no credential."""
        asked = [f"{name} = {value}" for name, value in service.wishes.items() if name in _SHOWN]
        return recorded_script(
            self.messages,
            (
                f"Recorded from {shown_address(service.url)} by tympan record",
                f"Parameters: {', '.join(asked)}",
            ),
        )


class _Recording:
    """Passes on what happens: messages to the scribe, audio to the recorder, all to the screen."""

    def __init__(self, opened: LiveInput, screen: Screen, recorder: Recorder, scribe: Scribe) -> None:
        self._opened = opened
        self._screen = screen
        self._recorder = recorder
        self._scribe = scribe
        self._sent_ms = StreamMs(0)

    def began(self) -> None:
        self._recorder.begin(self._opened.source.sample_rate_hz)
        self._screen.state(f"{self._opened.name}; Ctrl+C ends")

    def captured(self, chunk: bytes, until_ms: StreamMs) -> None:
        self._recorder.record(chunk)
        self._sent_ms = until_ms
        self._screen.heard(peak_dbfs(chunk), until_ms, None)

    def told(self, event: Event | ServerMessage, open_turn: Turn | None) -> None:
        self._scribe.receive(event, self._sent_ms)
        self._screen.caption(open_turn)
        note = note_of(event)
        if note is not None:
            self._screen.note(note)

    def settled(self, turn: SpokenTurn) -> None:
        self._screen.turn(turn.text)

    def finishing(self) -> None:
        self._screen.state("finishing; Ctrl+C ends at once")

    def gave_up(self) -> None:
        self._screen.note(GAVE_UP)
