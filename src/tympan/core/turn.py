"""TurnMachine: reports of a stream → what happened in the conversation. PURE: standard library only.

Rules:
- *Now* is the end of the last report, on the audio clock. Nothing ends while no audio comes.
- A turn ends once, in order; nothing is told of a turn that has ended.
- The machine can't decode: it answers a report with `Look` or `EndTurn` where it needs the stream, and
  takes the result by `receive_report(…, is_look=True)` or `receive_turn_text`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.config import TurnConfig
from tympan.core.endpoint import MIN_SPEECH_MS, first_matching_rule, looks_for, rules_for
from tympan.core.events import EndReason, SpeechStarted, TurnEnded, TurnUpdated
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report, TurnText, Word


@dataclass(frozen=True, slots=True)
class Look:
    """Asks for `Stream.look()`; its report comes back with `is_look=True`."""


@dataclass(frozen=True, slots=True)
class EndTurn:
    """Asks for `Stream.end_turn()`; without words nothing ends: it was a noise."""

    reason: EndReason


MachineEvent = SpeechStarted | TurnUpdated | TurnEnded
TurnStep = Look | EndTurn | MachineEvent


class TurnMachine:
    """Follows the turns of one session."""

    def __init__(self, config: TurnConfig) -> None:
        self._turn_order = 0
        self._told_order = -1  # the last turn whose SpeechStarted was told
        self._looked_until_ms = StreamMs(0)
        self._onset_ms: StreamMs | None
        self._shown: Hypothesis
        self._utterance_start: int  # index of the first word of no closed utterance
        self._confidence: float
        self._reset()
        self.configure(config)

    def configure(self, config: TurnConfig) -> None:
        """Change the rules from now on."""
        self._config = config
        self._rules = rules_for(config)
        self._looks = looks_for(config)

    def receive_report(self, report: Report, *, is_look: bool = False) -> list[TurnStep]:
        """The stream judged a piece of audio."""
        self._hear(report)
        if not is_look and self._is_look_due(report):
            self._looked_until_ms = report.judged_until_ms
            return [Look()]
        steps = self._due_end(report)
        if steps:
            return steps
        return [*self._updates(report.hypothesis, closes_utterance=is_look and report.silence_ms > 0)]

    def receive_force(self, report: Report, reason: EndReason) -> list[TurnStep]:
        """The turn has to end now; `report` is that of a look. Without words there is no turn to end."""
        self._hear(report)
        if not report.hypothesis.words:
            return [*self._updates(report.hypothesis, closes_utterance=False)]
        return [EndTurn(reason)]

    def receive_turn_text(self, text: TurnText, end: EndTurn) -> list[MachineEvent]:
        """The stream ended the turn that `end` asked for. Words shown in vain are taken back."""
        if not text.words:
            taken_back = self._updates(Hypothesis(), closes_utterance=False)
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

    def _hear(self, report: Report) -> None:
        self._confidence = report.end_of_turn_confidence
        self._onset_ms = report.speech_onset_ms

    def _is_look_due(self, report: Report) -> bool:
        # On the audio clock, not as lengths of silence: a word shorter than a report's piece is heard only as
        # a later end of speech, and the looks of the pause after it are due again.
        speech_end_ms = report.last_speech_end_ms
        return speech_end_ms is not None and any(
            self._looked_until_ms < speech_end_ms + silence_ms <= report.judged_until_ms for silence_ms in self._looks
        )

    def _due_end(self, report: Report) -> list[TurnStep]:
        rule = first_matching_rule(self._rules, silence_ms=report.silence_ms, confidence=report.end_of_turn_confidence)
        if rule is None or report.silence_ms <= 0:
            return []
        if not report.hypothesis.words:
            # A noise: forget it, but not before the longest silence, since words may still appear.
            return [EndTurn(rule.reason)] if report.silence_ms >= self._config.longest_silence_ms else []
        return [EndTurn(rule.reason)] if report.speech_ms >= MIN_SPEECH_MS else []

    def _updates(self, hypothesis: Hypothesis, *, closes_utterance: bool) -> list[MachineEvent]:
        all_final = hypothesis.final_count == len(hypothesis.words)
        utterance: tuple[Word, ...] = ()
        if closes_utterance and all_final:
            utterance = hypothesis.words[self._utterance_start :]
            self._utterance_start = len(hypothesis.words)
        if hypothesis == self._shown and not utterance:
            return []
        self._shown = hypothesis
        update = TurnUpdated(
            turn_order=self._turn_order,
            words=hypothesis.words,
            final_count=hypothesis.final_count,
            end_of_turn_confidence=self._confidence,
            utterance_words=utterance,
        )
        return [*self._speech_told(hypothesis.words), update]

    def _speech_told(self, words: tuple[Word, ...]) -> list[SpeechStarted]:
        if self._told_order == self._turn_order or not words:
            return []
        self._told_order = self._turn_order
        onset_ms = words[0].start_ms if self._onset_ms is None else self._onset_ms
        return [SpeechStarted(self._turn_order, onset_ms)]

    def _reset(self) -> None:
        self._shown = Hypothesis()
        self._utterance_start = 0
        self._onset_ms = None
        self._confidence = 0.0
