"""Speech in noise, with and without `voice_focus`: word errors, words made of noise, ends of turns.

The same mixtures are heard with every setting, on the audio clock, without a server. Differences are paired by
utterance; their intervals are 95 % of bootstrap samples of utterances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from bench.context import Context, SectionSkipped
from bench.dataset import Samples, Utterance, read_audio, spread
from bench.listening import on_all_cores
from bench.metrics import percentile, share_percent
from bench.noisy import Mixture, NoisyOutcome, others, outcomes, steady_noise
from bench.policy_sweep import interval
from bench.report import Figure
from bench.scoring import total
from tympan.core.config import FocusConfig, Microphone

_FULL_MS = 200_000
_QUICK_MS = 30_000
_SNRS_DB = (10, 5, 0)
_SHORTEST_NOISE_S = 10
_OFF = "off"

SETTINGS: Mapping[str, FocusConfig | None] = {
    _OFF: None,
    "far-field": FocusConfig(Microphone.FAR_FIELD),
    "near-field": FocusConfig(Microphone.NEAR_FIELD),
    "near-field, threshold 1": FocusConfig(Microphone.NEAR_FIELD, 1.0),
}


def run(context: Context) -> list[Figure]:
    recorded = [
        noise for path in context.dataset.noises if len(noise := read_audio(path)) >= _SHORTEST_NOISE_S * 16_000
    ]
    if not recorded:
        raise SectionSkipped("needs recorded speech and noise")
    chosen = spread(context.dataset.utterances, _QUICK_MS if context.is_quick else _FULL_MS)
    figures: list[Figure] = []
    for name, mixtures in _conditions(context.dataset.utterances, chosen, recorded).items():
        heard = on_all_cores(partial(outcomes, settings=tuple(SETTINGS.values())), mixtures)
        by_setting = dict(zip(SETTINGS, zip(*heard, strict=True), strict=True))
        audio = f"{len(chosen)} utterances, noise from 1.5 s before the speech to 1.2 s after, audio clock"
        for setting, some in by_setting.items():
            variant = f"{name}: {setting}"
            figures += [
                Figure("noise", measure, value, unit, audio, variant=variant)
                for measure, value, unit in _measures(some, by_setting[_OFF])
            ]
    return figures


def _conditions(
    everything: Sequence[Utterance], chosen: Sequence[Utterance], recorded: Sequence[Samples]
) -> dict[str, list[Mixture]]:
    places = [everything.index(utterance) for utterance in chosen]
    steady = steady_noise(30_000)
    conditions = {"quiet": [Mixture(utterance) for utterance in chosen]}
    for snr_db in _SNRS_DB:
        conditions[f"recorded noise, {snr_db} dB"] = [
            Mixture(utterance, snr_db, noise=np.roll(recorded[nth % len(recorded)], 4_001 * nth))
            for nth, utterance in enumerate(chosen)
        ]
        conditions[f"steady noise, {snr_db} dB"] = [Mixture(utterance, snr_db, noise=steady) for utterance in chosen]
        conditions[f"babble, {snr_db} dB"] = [
            Mixture(utterance, snr_db, voices=others(everything, place))
            for place, utterance in zip(places, chosen, strict=True)
        ]
    return conditions


def _measures(some: Sequence[NoisyOutcome], off: Sequence[NoisyOutcome]) -> Iterator[tuple[str, float, str]]:
    errors, without = [one.errors for one in some], [one.errors for one in off]
    low, high = interval(errors, without)
    yield "word errors", total(errors).percent, "%"
    yield "to off", total(errors).percent - total(without).percent, "points"
    yield "to off, 95 % from", low, "points"
    yield "to off, 95 % to", high, "points"
    yield "words where nobody spoke", sum(one.false_words for one in some), ""
    yield "turns that ended by themselves", share_percent(one.end_ms is not None for one in some), "%"
    yield "end of turn p50", percentile((one.end_ms for one in some if one.end_ms is not None), 50), "ms"
