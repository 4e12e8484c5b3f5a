"""The method of Pipecat's published speech-to-text benchmark: time from the end of speech to the final transcript.

A local voice detection hears speech stop 200 ms after its end and sends ForceEndpoint, with the parameters that Pipecat
sends. So 200 ms of each figure are the detection's own.
"""

from __future__ import annotations

import numpy as np

from bench.context import Context, Job, lag_note
from bench.conversation import Control
from bench.dataset import Samples, composite, spread
from bench.metrics import percentile
from bench.report import Figure, Target, at_most
from bench.turn_metrics import first_finals
from bench.voice_stops import finals_after_speech_ms, stretches
from tympan.engines.silero import FRAME_MS, FRAME_SAMPLES, SileroModel, SileroStream

_FULL_MS = 150_000
_QUICK_MS = 40_000
_GAP_MS = 1_500
_PARAMETERS = {
    "speech_model": "universal-3-6-pro",
    "formatted_finals": "true",
    "min_turn_silence": "100",
    "max_turn_silence": "100",
    "continuous_partials": "true",
}
"""What `AssemblyAISTTService` of pipecat-ai 1.14.0 sends by default."""


def run(context: Context) -> list[Figure]:
    joined = composite(spread(context.dataset.utterances, _QUICK_MS if context.is_quick else _FULL_MS), gap_ms=_GAP_MS)
    speech = stretches(_probabilities(joined.samples), FRAME_MS)
    controls = tuple(Control(stretch.stop_ms, {"type": "ForceEndpoint"}) for stretch in speech)
    with context.server() as server:
        log = context.hold(server, Job(joined.samples, _PARAMETERS, controls=controls))
    latencies = finals_after_speech_ms(speech, first_finals(log.turns))
    audio = f"{len(speech)} stops of speech in {joined.duration_s / 60:.1f} min, real time"
    note = "; ".join(filter(None, [f"{len(latencies)} of {len(speech)} answered", lag_note([log])]))

    def row(percent: int, target: Target) -> Figure:
        value = percentile(latencies, percent)
        return Figure("voice_agent", f"end of speech to final p{percent}", value, "ms", audio, target, note)

    return [row(50, at_most(230)), row(95, at_most(260))]


def _probabilities(samples: Samples) -> list[float]:
    stream = SileroStream(SileroModel())
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = (samples[:whole] / np.float32(32_768)).astype(np.float32).reshape(-1, FRAME_SAMPLES)
    return [stream.judge(frame) for frame in frames]
