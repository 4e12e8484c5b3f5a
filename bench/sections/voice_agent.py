"""The method of Pipecat's published speech-to-text benchmark: time from the end of speech to the final transcript.

A local voice detection hears speech stop and sends ForceEndpoint, with the parameters that Pipecat sends. The end of
speech is what the detection makes of it, 200 ms before: so 200 ms of each figure are the detection's own. Differences:
utterances are joined in one session, and every stop counts, not only the last of each; the detection listens to
the recording and not in the process that sends.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bench.context import Context, Job, lag_note
from bench.conversation import Control
from bench.dataset import Composite, Samples, composite, spread
from bench.metrics import percentile
from bench.report import Figure, Target, at_most
from bench.voice_stops import STOP_MS, Answers, Speech, answers, stretches
from tympan.engines.silero import FRAME_MS, FRAME_SAMPLES, SileroModel, SileroStream

_FULL_MS = 150_000
_QUICK_MS = 40_000
_GAP_MS = 1_500
_COMMON = {"encoding": "pcm_s16le", "formatted_finals": "true", "format_turns": "true"}
_U3 = {
    "speech_model": "universal-3-6-pro",
    "min_turn_silence": "100",
    "max_turn_silence": "100",
    "continuous_partials": "true",
}
_US = {
    "speech_model": "universal-streaming-english",
    "end_of_turn_confidence_threshold": "1.0",
    "min_turn_silence": "160",
}
"""What `AssemblyAISTTService` of pipecat-ai 1.14.0 sends by default, and for its other kind of model."""


def run(context: Context) -> list[Figure]:
    joined = composite(spread(context.dataset.utterances, _QUICK_MS if context.is_quick else _FULL_MS), gap_ms=_GAP_MS)
    speech = stretches(_probabilities(joined.samples), FRAME_MS)
    u3 = _figures("", context, joined, speech, _U3, (at_most(230), at_most(260)))
    return [*u3, *_figures("US: ", context, joined, speech, _US, (None, None))]


def _figures(
    who: str,
    context: Context,
    joined: Composite,
    speech: list[Speech],
    parameters: Mapping[str, str],
    targets: tuple[Target | None, Target | None],
) -> list[Figure]:
    controls = tuple(Control(stretch.stop_ms, {"type": "ForceEndpoint"}) for stretch in speech)
    with context.server() as server:
        log = context.hold(server, Job(joined.samples, {**_COMMON, **parameters}, controls=controls))
    sent_ms = [control.at_ms for control in log.controls if control.kind == "ForceEndpoint"]
    answered = answers(speech, sent_ms, [turn for turn in log.turns if turn.end_of_turn and turn.is_formatted])
    audio = f"{len(speech)} stops of speech in {joined.duration_s / 60:.1f} min, real time"
    note = "; ".join(filter(None, [_shares(answered), lag_note([log])]))

    def row(name: str, values: tuple[float, ...], percent: int, target: Target | None) -> Figure:
        value = percentile(values, percent)
        return Figure("voice_agent", f"{who}{name} p{percent}", value, "ms", audio, target, note)

    forced_ms = tuple(value - STOP_MS for value in answered.forced_ms)
    return [
        *(row("end of speech to final", answered.all_ms, p, t) for p, t in zip((50, 95), targets, strict=True)),
        *(row("ForceEndpoint to final", forced_ms, percent, None) for percent in (50, 95)),
    ]


def _shares(answered: Answers) -> str:
    return (
        f"{len(answered.forced_ms)} finals after ForceEndpoint, {len(answered.early_ms)} before it, "
        f"{answered.missing_count} missing"
    )


def _probabilities(samples: Samples) -> list[float]:
    stream = SileroStream(SileroModel())
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = (samples[:whole] / np.float32(32_768)).astype(np.float32).reshape(-1, FRAME_SAMPLES)
    return [stream.judge(frame) for frame in frames]
