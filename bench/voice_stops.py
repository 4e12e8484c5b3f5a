"""When a voice agent's own detection hears speech stop: the rule of Pipecat's, on Silero's probabilities. Pure.

Source: pipecat-ai 1.14.0, `pipecat/audio/vad/vad_analyzer.py`: speech starts after 200 ms of frames that are surely
speech, and stops after 200 ms of frames that aren't. Its gate on loudness is left out: recordings are loud enough.
"""

from __future__ import annotations

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


def finals_after_speech_ms(speech: Sequence[Speech], finals: Sequence[TurnMessage]) -> list[float]:
    """End of each stretch → the last final that came before the next one began. Where none came, nothing is added."""
    latencies = []
    for index, stretch in enumerate(speech):
        until_ms = speech[index + 1].start_ms if index + 1 < len(speech) else float("inf")
        answers = [final.at_ms for final in finals if stretch.end_ms < final.at_ms <= until_ms]
        latencies += [answer - stretch.end_ms for answer in answers[-1:]]
    return latencies
