"""Listener: one stream and its turn machine, over the bytes of one client.

It runs beside the engine, on the engine worker's side of the seam, so that a turn ends at the very frame
that decides it, however fast the audio comes: what is told depends on the audio alone. It has no thread
and no clock of its own: `advance` does one piece of work and says what was heard.
"""

from __future__ import annotations

from collections import deque
from typing import assert_never

from tympan.core.cadence import Moment
from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.effects import Control, Finish, ForceEndpoint
from tympan.core.events import ConfigurationChanged, EndReason, TurnEvent
from tympan.core.listening import Heard
from tympan.core.settled import SettledPosition
from tympan.core.silence import SilenceWatch
from tympan.core.turn import EndTurn, HearOut, Look, Read, TurnMachine, TurnStep
from tympan.core.units import StreamMs
from tympan.core.words import Report
from tympan.dsp.decode import decoder_of
from tympan.dsp.focus import focused
from tympan.engines.base import Stream, StreamOptions


def stream_options(config: SessionConfig) -> StreamOptions:
    """What the engine must know of a session's configuration."""
    return StreamOptions(
        vad_threshold=config.turn.vad_threshold,
        finality=config.turn.finality,
        left_pad_ms=config.turn.left_pad_ms,
        wants_partials=config.output.include_partial_turns,
        formatted_source=config.output.formatted_source,
    )


class Listener:
    """Audio and controls in, in order; what was heard out, in order."""

    def __init__(self, stream: Stream, config: SessionConfig) -> None:
        self._stream = stream
        self._config = config
        self._decoder = focused(decoder_of(config.audio), config.focus)
        self._machine = TurnMachine(config.turn)
        self._settled = SettledPosition(config)
        self._silence = SilenceWatch(is_on=config.output.has_silence)
        self._queue: deque[bytes | Control] = deque()
        self._judged_until_ms = StreamMs(0)
        self._speech_probability = 0.0  # the highest since the last Heard
        self._is_finished = False

    def feed(self, payload: bytes) -> None:
        """Queue audio, one message in the client's format. After `Finish` or `close` it is ignored."""
        if not self._is_finished:
            self._queue.append(payload)

    def mark(self, control: Control) -> None:
        """Queue a control behind the audio fed so far. After `Finish` or `close` it is ignored."""
        if not self._is_finished:
            self._queue.append(control)

    def advance(self) -> Heard | None:
        """Judge one piece of audio or obey one control; None when nothing is left to do.

        Raises:
            EngineError: the model failed; the listener can't go on.
            BadAudio: compressed audio that no decoder takes; the same.
        """
        while not self._is_finished:
            report = self._stream.step()
            if report is not None:
                return self._heard(self._step(report))
            if not self._queue:
                return None
            item = self._queue.popleft()
            if isinstance(item, bytes):
                self._stream.accept(self._decoder.decode(item))
            else:
                return self._obey(item)
        return None

    def close(self) -> None:
        """Free the stream. Idempotent."""
        self._queue.clear()
        self._is_finished = True
        self._stream.close()

    def _step(self, report: Report) -> list[TurnEvent]:
        self._speech_probability = max(self._speech_probability, report.speech_probability)
        return [*self._judge(report, Moment.STEP), *self._silence.receive_report(report)]

    def _judge(self, report: Report, moment: Moment) -> list[TurnEvent]:
        self._judged_until_ms = report.judged_until_ms
        self._settled.receive_report(report)
        return self._perform(self._machine.receive_report(report, moment))

    def _perform(self, steps: list[TurnStep]) -> list[TurnEvent]:
        events: list[TurnEvent] = []
        for step in steps:
            match step:
                case Look():
                    events += self._judge(self._stream.look(), Moment.LOOK)
                case HearOut():
                    events += self._judge(self._stream.hear_out(), Moment.LOOK)
                case Read():
                    events += self._judge(self._stream.read(), Moment.READ)
                case EndTurn():
                    text = self._stream.end_turn()
                    self._settled.receive_turn_end(text.words)
                    events += self._machine.receive_turn_text(text, step)
                case _:
                    events.append(step)
        return events

    def _obey(self, control: Control) -> Heard:
        match control:
            case ForceEndpoint():
                return self._heard(self._force(EndReason.FORCED))
            case ConfigUpdate():
                self._config = control.apply_to(self._config)
                self._machine.configure(self._config.turn)
                self._settled.configure(self._config)
                self._stream.configure(stream_options(self._config))
                self._silence.is_on = self._config.output.has_silence
                return self._heard([ConfigurationChanged(self._config)])
            case Finish():
                return self._finish()
            case _:
                assert_never(control)

    def _force(self, reason: EndReason) -> list[TurnEvent]:
        report = self._stream.hear_out()
        self._settled.receive_report(report)
        return self._perform(self._machine.receive_force(report, reason))

    def _finish(self) -> Heard:
        self._stream.accept(self._decoder.flush())
        self._stream.finish()
        events: list[TurnEvent] = []
        while (report := self._stream.step()) is not None:
            events += self._step(report)
        events += self._force(EndReason.SESSION_ENDED)
        self._is_finished = True
        self._queue.clear()
        return self._heard(events, is_finished=True)

    def _heard(self, events: list[TurnEvent], *, is_finished: bool = False) -> Heard:
        probability, self._speech_probability = self._speech_probability, 0.0
        return Heard(self._judged_until_ms, tuple(events), is_finished, self._settled.settled_ms, probability)
