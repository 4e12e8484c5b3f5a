"""Audio files → transcripts, one after the other, through any service; what `tympan transcribe` does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from tympan.cli.audience import Audience
from tympan.cli.converse import Service, converse
from tympan.cli.inputs import OpenInput, Pace, open_input
from tympan.cli.interrupts import Interrupts
from tympan.cli.notes import GAVE_UP, note_of
from tympan.cli.transcript import SpokenTurn, Transcript
from tympan.client.events import Event
from tympan.client.raw_audio import RawFormat
from tympan.core.errors import TympanError
from tympan.core.units import StreamMs
from tympan.wire.v3.messages import ServerMessage, Turn

_SERVER_PACE = Pace(speed=4.0, head_start_ms=15_000)
"""How far a server is ahead of what it has told, and how fast it is fed where it tells nothing. A server ends a
session when five minutes wait to be judged (protocol reference, section 3), and Ctrl+C waits for what was sent."""


@dataclass(slots=True)
class Outcome:
    """What came of a list of files."""

    transcripts: list[Transcript] = field(default_factory=list)
    failures: list[TympanError] = field(default_factory=list)
    was_interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Transcription:
    """How files are transcribed."""

    service: Service
    audience: Audience
    raw_format: RawFormat
    is_realtime: bool

    def run(self, files: list[Path]) -> Outcome:
        """Transcribe each file. One that fails doesn't stop several; a single one raises. After Ctrl+C the file
        at hand is finished as far as it was heard, and no other is begun.

        Raises:
            TympanError: the only file failed.
            KeyboardInterrupt: Ctrl+C where nothing could be finished.
        """
        outcome = Outcome()
        try:
            asyncio.run(self._each(files, outcome))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        return outcome

    async def _each(self, files: list[Path], outcome: Outcome) -> None:
        with Interrupts() as interrupts:
            for path in files:
                try:
                    outcome.transcripts.append(await self._one(path, interrupts))
                except TympanError as error:
                    if len(files) == 1:
                        raise
                    self.audience.complaint(str(error))
                    outcome.failures.append(error)
                if interrupts.has_happened:
                    outcome.was_interrupted = True
                    return

    async def _one(self, path: Path, interrupts: Interrupts) -> Transcript:
        async with open_input(path, self.raw_format, self._pace(), is_remote=self.service.is_remote) as opened:
            self.audience.begin(opened.name, opened.duration_ms)
            listening = _Listening(opened, self.audience)
            opening = self.service.session(opened.source.sample_rate_hz, wants_partials=False)
            await converse(opening, opened.source, listening, interrupts)
            return Transcript(opened.name, tuple(listening.turns), listening.captured_ms)

    def _pace(self) -> Pace:
        if self.is_realtime:
            return Pace()
        return _SERVER_PACE if self.service.is_remote else Pace(speed=None)


class _Listening:
    """Collects one file's turns and tells the audience."""

    def __init__(self, opened: OpenInput, audience: Audience) -> None:
        self._source = opened.source
        self._audience = audience
        self.turns: list[SpokenTurn] = []
        self.captured_ms = StreamMs(0)

    def began(self) -> None:
        pass

    def captured(self, chunk: bytes, until_ms: StreamMs) -> None:
        self.captured_ms = until_ms
        self._audience.sent(until_ms)

    def told(self, event: Event | ServerMessage, open_turn: Turn | None) -> None:
        if isinstance(event, Turn) and event.words:
            self._source.grant(event.words[-1].end)
        note = note_of(event)
        if note is not None:
            self._audience.complaint(note)

    def settled(self, turn: SpokenTurn) -> None:
        self.turns.append(turn)
        self._audience.turn(turn)

    def finishing(self) -> None:
        pass

    def gave_up(self) -> None:
        self._audience.complaint(GAVE_UP)
