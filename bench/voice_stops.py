"""When a voice agent's own detection hears speech stop: the rule of Pipecat's, on Silero's probabilities. Pure.

Source: pipecat-ai 1.14.0, `pipecat/audio/vad/vad_analyzer.py`: speech starts after 200 ms of frames that are surely
speech, and stops after 200 ms of frames that aren't. Its gate on loudness is left out: recordings are loud enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.messages import TurnMessage

CONFIDENCE = 0.7
START_MS = 200
STOP_MS = 200


@dataclass(frozen=True, slots=True)
class Speech:
    """One stretch of speech; `end_ms` is where silence began, `stop_ms` where that was noticed."""

    start_ms: int
    end_ms: int
    stop_ms: int


def stretches(probabilities: Iterable[float], frame_ms: int) -> list[Speech]:
    """What the detection hears in frames of equal length. Speech that goes on at the end is left out."""
    start_frames, stop_frames = round(START_MS / frame_ms), round(STOP_MS / frame_ms)
    found: list[Speech] = []
    voiced = unvoiced = 0
    start_ms: int | None = None
    for index, probability in enumerate(probabilities, 1):
        is_voiced = probability >= CONFIDENCE
        voiced, unvoiced = (voiced + 1, 0) if is_voiced else (0, unvoiced + 1)
        now_ms = index * frame_ms
        if start_ms is None and voiced >= start_frames:
            start_ms = now_ms - voiced * frame_ms
        elif start_ms is not None and unvoiced >= stop_frames:
            found.append(Speech(start_ms, now_ms - unvoiced * frame_ms, now_ms))
            start_ms = None
    return found


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of the stops. Times are from the end of speech as the agent dates it: 200 ms before ForceEndpoint went.

    `forced_ms`: the first final after ForceEndpoint, which the agent takes for its answer. `early_ms`: where none came,
    the last final since the speech was heard, if not before its end: the agent acts on it only when it has waited long
    enough for the other. `missing_count`: neither, so the agent has nothing.
    """

    forced_ms: tuple[float, ...]
    early_ms: tuple[float, ...]
    missing_count: int

    @property
    def all_ms(self) -> tuple[float, ...]:
        """What the published benchmark reports: one figure for each stop that has one."""
        return self.forced_ms + self.early_ms


def answers(speech: Sequence[Speech], forced_at_ms: Sequence[float], finals: Sequence[TurnMessage]) -> Answers:
    """Pair each stop with its final; `forced_at_ms` is when ForceEndpoint was sent for each, in order.

    A stop is open until the detection hears more speech, which may begin the moment that the stop was noticed.
    Source: pipecat-ai 1.14.0, `pipecat/services/stt_service.py`.
    """
    forced: list[float] = []
    early: list[float] = []
    heard_ms = [stretch.start_ms + START_MS for stretch in speech]
    for since_ms, sent_ms, until_ms in zip(heard_ms, forced_at_ms, [*heard_ms[1:], math.inf], strict=True):
        end_ms = sent_ms - STOP_MS
        after = [final.at_ms for final in finals if sent_ms <= final.at_ms < until_ms]
        before = [final.at_ms for final in finals if max(since_ms, end_ms) <= final.at_ms < sent_ms]
        if after:
            forced.append(after[0] - end_ms)
        elif before:
            early.append(before[-1] - end_ms)
    return Answers(tuple(forced), tuple(early), len(speech) - len(forced) - len(early))
