"""TurnMachine: reports of a stream → what happened in the conversation. PURE: standard library only.

Rules:
- *Now* is the end of the last report, on the audio clock. Nothing ends while no audio comes.
- A turn ends once, in order; nothing is told of a turn that has ended.
- The machine can't decode: it answers a report with `Look`, `HearOut`, `Read` or `EndTurn` where it needs the
  stream, and takes the result by `receive_report` with the moment, or by `receive_turn_text`.
- What ends a turn are rows (`endpoint`), what is told of an open one is the cadence's affair (`cadence`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.cadence import Moment, cadence_for
from tympan.core.config import TurnConfig
from tympan.core.endpoint import endpointing_for, first_matching_rule
from tympan.core.events import EndReason, SpeechStarted, TurnEnded, TurnUpdated
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report, TurnText, Word


@dataclass(frozen=True, slots=True)
class Look:
    """Asks for `Stream.look()`; its report comes back with `Moment.LOOK`."""


@dataclass(frozen=True, slots=True)
class HearOut:
    """Asks for `Stream.hear_out()`, where a score would decide nothing; its report comes back with `Moment.LOOK`."""


@dataclass(frozen=True, slots=True)
class Read:
    """Asks for `Stream.read()`; its report comes back with `Moment.READ`."""


@dataclass(frozen=True, slots=True)
class EndTurn:
    """Asks for `Stream.end_turn()`; without words nothing ends: it was a noise."""

    reason: EndReason


MachineEvent = SpeechStarted | TurnUpdated | TurnEnded
TurnStep = Look | HearOut | Read | EndTurn | MachineEvent


class TurnMachine:
    """Follows the turns of one session."""

    def __init__(self, config: TurnConfig) -> None:
        self._turn_order = 0
        self._told_order = -1  # the last turn whose SpeechStarted was told
        self._looked_until_ms = StreamMs(0)
        self._latest: Report | None  # of the open turn
        self._speech_confidence: float
        self._shown: Hypothesis
        self._utterance_start: int  # index of the first word of no closed utterance
        self._cadence = cadence_for(config)
        self._reset()
        self.configure(config)

    def configure(self, config: TurnConfig) -> None:
        """Change the rules from now on. The finality stays that of the beginning."""
        self._endpointing = endpointing_for(config)
        self._cadence.configure(config)

    def receive_report(self, report: Report, moment: Moment = Moment.STEP) -> list[TurnStep]:
        """The stream judged a piece of audio, or did what the machine asked for."""
        self._latest = report
        self._speech_confidence = max(self._speech_confidence, report.speech_probability)
        if moment is Moment.STEP and self._is_look_due(report):
            self._looked_until_ms = report.judged_until_ms
            return [Look() if report.silence_ms >= self._endpointing.scored_from_ms else HearOut()]
        steps = self._due_end(report)
        if steps:
            return steps
        if moment is Moment.STEP and self._cadence.is_read_due(report):
            return [Read()]
        return [*self._updates(report, moment)]

    def receive_force(self, report: Report, reason: EndReason) -> list[TurnStep]:
        """The turn has to end now; `report` is that of a look. Without words there is no turn to end."""
        self._latest = report
        return [EndTurn(reason)] if report.hypothesis.words else [*self._taken_back()]

    def receive_turn_text(self, text: TurnText, end: EndTurn) -> list[MachineEvent]:
        """The stream ended the turn that `end` asked for. Words shown in vain are taken back."""
        if not text.words:
            taken_back = self._taken_back()
            self._reset()
            return taken_back
        told = self._speech_told(text.words)
        ended = TurnEnded(
            turn_order=self._turn_order,
            words=text.words,
            formatted_words=text.formatted_words,
            end_of_turn_confidence=self._confidence,
            reason=end.reason,
            utterance_words=text.words[self._utterance_start :],
        )
        self._turn_order += 1
        self._reset()
        return [*told, ended]

    @property
    def _confidence(self) -> float:
        return self._latest.end_of_turn_confidence if self._latest is not None else 0.0

    def _is_look_due(self, report: Report) -> bool:
        # On the audio clock, not as lengths of silence: a word shorter than a report's piece is heard only as
        # a later end of speech, and the looks of the pause after it are due again.
        speech_end_ms = report.last_speech_end_ms
        return speech_end_ms is not None and any(
            self._looked_until_ms < speech_end_ms + silence_ms <= report.judged_until_ms
            for silence_ms in self._endpointing.looks_ms
        )

    def _due_end(self, report: Report) -> list[TurnStep]:
        if report.silence_ms <= 0:
            return []
        if not report.hypothesis.words:
            # A noise: forget it, but not before the longest silence, since words may still appear.
            return [EndTurn(EndReason.SILENT)] if report.silence_ms >= self._endpointing.longest_silence_ms else []
        rule = first_matching_rule(
            self._endpointing.rules,
            silence_ms=report.silence_ms,
            confidence=report.end_of_turn_confidence,
            speech_ms=report.speech_ms,
        )
        return [] if rule is None else [EndTurn(rule.reason)]

    def _updates(self, report: Report, moment: Moment) -> list[MachineEvent]:
        hypothesis = report.hypothesis
        utterance: tuple[Word, ...] = ()
        if moment is Moment.LOOK and report.silence_ms > 0 and hypothesis.final_count == len(hypothesis.words):
            utterance = hypothesis.words[self._utterance_start :]
            self._utterance_start = len(hypothesis.words)
        if not self._cadence.is_telling_due(report, self._shown, moment) and not utterance:
            return []
        return [*self._speech_told(hypothesis.words), self._update(hypothesis, utterance)]

    def _taken_back(self) -> list[MachineEvent]:
        """Words that were shown in vain."""
        return [self._update(Hypothesis(), ())] if self._shown.words else []

    def _update(self, hypothesis: Hypothesis, utterance: tuple[Word, ...]) -> TurnUpdated:
        self._shown = hypothesis
        return TurnUpdated(
            turn_order=self._turn_order,
            words=hypothesis.words,
            final_count=hypothesis.final_count,
            end_of_turn_confidence=self._confidence,
            utterance_words=utterance,
        )

    def _speech_told(self, words: tuple[Word, ...]) -> list[SpeechStarted]:
        if self._told_order == self._turn_order or not words:
            return []
        self._told_order = self._turn_order
        report = self._latest
        if report is None or report.speech_onset_ms is None:
            return [SpeechStarted(self._turn_order, words[0].start_ms)]
        return [SpeechStarted(self._turn_order, report.speech_onset_ms, self._speech_confidence)]

    def _reset(self) -> None:
        self._latest = None
        self._speech_confidence = 0.0
        self._shown = Hypothesis()
        self._utterance_start = 0
        self._cadence.reset()
