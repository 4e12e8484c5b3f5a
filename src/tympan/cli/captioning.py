"""A source, live, through any service: captions on the screen, turns to their writer; what `tympan listen` does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tympan.cli.converse import Service, Watcher, converse
from tympan.cli.gauges import DelayGauge, peak_dbfs
from tympan.cli.inputs import STDIN, Pace, open_input
from tympan.cli.interrupts import Interrupts
from tympan.cli.notes import GAVE_UP, LossNotes, note_of
from tympan.cli.recorder import Recorder
from tympan.cli.screen import Screen
from tympan.cli.transcript import SpokenTurn
from tympan.cli.turn_writer import TurnWriter
from tympan.client.audio_source import AudioSource
from tympan.client.events import Event, Reconnected, Reconnecting
from tympan.client.microphone import InputDevice, Microphone
from tympan.client.raw_audio import RawFormat
from tympan.core.units import StreamMs
from tympan.wire.v3.messages import ServerMessage, Turn

_PIPE_PACE = Pace(speed=1.25, head_start_ms=1_000)
"""A pipe from a recorder is never held up; a file in a pipe comes not much faster than it was spoken."""


@dataclass(frozen=True, slots=True)
class LiveInput:
    """A source that is open, and what it is called."""

    source: AudioSource
    name: str


Opening = Callable[[Screen], AbstractAsyncContextManager[LiveInput]]
"""Opens a source, which tells the screen of audio that was lost."""


def microphone_input(device: InputDevice) -> Opening:
    """A device that records."""

    @asynccontextmanager
    async def opening(screen: Screen) -> AsyncIterator[LiveInput]:
        losses = LossNotes()

        def tell(note: str | None) -> None:
            if note is not None:
                screen.note(note)

        try:
            async with Microphone(device, on_loss=lambda loss: tell(losses.receive_loss(loss))) as microphone:
                yield LiveInput(microphone, microphone.name)
        finally:
            tell(losses.close())

    return opening


def file_input(path: Path, raw_format: RawFormat, *, is_remote: bool) -> Opening:
    """A file at the pace of a microphone, or standard input as it comes."""
    pace = _PIPE_PACE if path == STDIN else Pace()

    @asynccontextmanager
    async def opening(screen: Screen) -> AsyncIterator[LiveInput]:
        async with open_input(path, raw_format, pace, is_remote=is_remote) as opened:
            yield LiveInput(opened.source, opened.name if path == STDIN else path.name)

    return opening


def listen_to(opening: Opening, service: Service, screen: Screen, writer: TurnWriter, recorder: Recorder) -> None:
    """Listen until the source ends, or Ctrl+C.

    Raises:
        TympanError: the source, the service or the output failed; what was heard is told before.
        KeyboardInterrupt: Ctrl+C; what was heard is told before.
    """
    attend(opening, service, screen, lambda opened: _Listener(opened, screen, writer, recorder))


def attend(opening: Opening, service: Service, screen: Screen, watcher_of: Callable[[LiveInput], Watcher]) -> None:
    """Let a watcher of the source follow a conversation, until the source ends, or Ctrl+C. Raises as `listen_to`."""

    async def listen() -> bool:
        with Interrupts() as interrupts:
            async with opening(screen) as opened:
                session = service.session(opened.source.sample_rate_hz, wants_partials=True)
                screen.state("connecting")
                await converse(session, opened.source, watcher_of(opened), interrupts)
            return interrupts.has_happened

    try:
        was_interrupted = asyncio.run(listen())
    except asyncio.CancelledError:
        was_interrupted = True
    if was_interrupted:
        raise KeyboardInterrupt


class _Listener:
    """Passes on what happens: turns to the writer, audio to the recorder, all to the screen."""

    def __init__(self, opened: LiveInput, screen: Screen, writer: TurnWriter, recorder: Recorder) -> None:
        self._opened = opened
        self._screen = screen
        self._writer = writer
        self._recorder = recorder
        self._captured_ms = StreamMs(0)
        self._delay = DelayGauge()

    def began(self) -> None:
        self._writer.begin()
        self._recorder.begin(self._opened.source.sample_rate_hz)
        self._show_listening()

    def captured(self, chunk: bytes, until_ms: StreamMs) -> None:
        self._recorder.record(chunk)
        self._captured_ms = until_ms
        self._screen.heard(peak_dbfs(chunk), until_ms, self._delay.median_ms)

    def told(self, event: Event | ServerMessage, open_turn: Turn | None) -> None:
        match event:
            case Turn():
                if not event.end_of_turn:
                    self._delay.receive_turn(event, self._captured_ms)
                self._screen.caption(open_turn)
            case Reconnecting():
                self._screen.state("reconnecting")
            case Reconnected():
                self._show_listening()
            case _:
                pass
        note = note_of(event)
        if note is not None:
            self._screen.note(note)

    def settled(self, turn: SpokenTurn) -> None:
        self._writer.turn(turn)
        self._screen.turn(turn.text)

    def finishing(self) -> None:
        self._screen.state("finishing; Ctrl+C ends at once")

    def gave_up(self) -> None:
        self._screen.note(GAVE_UP)

    def _show_listening(self) -> None:
        self._screen.state(f"{self._opened.name}; Ctrl+C ends")
