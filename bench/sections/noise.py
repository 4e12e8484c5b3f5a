"""Speech in noise, with and without `voice_focus`: word errors, words made of noise, ends of turns.

The same mixtures are heard with every setting, on the audio clock, without a server: all of them by one decode of
the speech, some in sessions too. Differences are paired by utterance; their intervals are 95 % of bootstrap samples of
utterances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from bench.context import Context, SectionSkipped
from bench.dataset import RATE_HZ, Samples, Utterance, read_audio, spread
from bench.listening import on_all_cores
from bench.metrics import percentile, share_percent
from bench.noisy import Mixture, SessionOutcome, offline_errors, others, session_outcomes, steady_noise
from bench.policy_sweep import interval
from bench.report import Figure
from bench.scoring import WordErrors, total
from tympan.core.config import FocusConfig, Microphone

_FULL_MS = 300_000
_QUICK_MS = 30_000
_SNRS_DB = (10, 5, 0)
_SHORTEST_NOISE_S = 10
_IN_SESSIONS = ("quiet", "recorded noise, 5 dB", "babble, 5 dB")
_OFF = "off"

Item = TypeVar("Item")
Measure = tuple[str, float, str]
"""Name, value, unit."""

SETTINGS: Mapping[str, FocusConfig | None] = {
    _OFF: None,
    "near-field": FocusConfig(Microphone.NEAR_FIELD),
    "near-field, threshold 1": FocusConfig(Microphone.NEAR_FIELD, 1.0),
}


def run(context: Context) -> list[Figure]:
    recorded = [
        noise for path in context.dataset.noises if len(noise := read_audio(path)) >= _SHORTEST_NOISE_S * RATE_HZ
    ]
    if not recorded:
        raise SectionSkipped("needs recorded speech and noise")
    chosen = spread(context.dataset.utterances, _QUICK_MS if context.is_quick else _FULL_MS)
    audio = f"{len(chosen)} utterances, noise from 1.5 s before the speech to 1.2 s after, audio clock"
    figures: list[Figure] = []
    for name, mixtures in conditions(context.dataset.utterances, chosen, recorded).items():
        for setting, measures in measured(mixtures, has_sessions=name in _IN_SESSIONS).items():
            variant = f"{name}: {setting}"
            figures += [
                Figure("noise", measure, value, unit, audio, variant=variant) for measure, value, unit in measures
            ]
    return figures


def measured(mixtures: Sequence[Mixture], *, has_sessions: bool) -> dict[str, list[Measure]]:
    """All measures of one condition, by setting."""
    offline = _by_setting(on_all_cores(partial(offline_errors, settings=tuple(SETTINGS.values())), mixtures))
    measures = {setting: [*_offline_measures(some, offline[_OFF])] for setting, some in offline.items()}
    if has_sessions:
        heard = _by_setting(on_all_cores(partial(session_outcomes, settings=tuple(SETTINGS.values())), mixtures))
        for setting, outcomes in heard.items():
            measures[setting] += _session_measures(outcomes)
    return measures


def _by_setting(rows: Sequence[Sequence[Item]]) -> dict[str, list[Item]]:
    return {setting: [row[place] for row in rows] for place, setting in enumerate(SETTINGS)}


def conditions(
    everything: Sequence[Utterance], chosen: Sequence[Utterance], recorded: Sequence[Samples]
) -> dict[str, list[Mixture]]:
    """What is heard, by name."""
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


def _offline_measures(errors: Sequence[WordErrors], off: Sequence[WordErrors]) -> Iterator[Measure]:
    low, high = interval(errors, off)
    yield "word errors, offline", total(errors).percent, "%"
    yield "to off", total(errors).percent - total(off).percent, "points"
    yield "to off, 95 % from", low, "points"
    yield "to off, 95 % to", high, "points"


def _session_measures(outcomes: Sequence[SessionOutcome]) -> Iterator[Measure]:
    yield "word errors, formatted finals", total(one.errors for one in outcomes).percent, "%"
    yield "words where nobody spoke", sum(one.false_words for one in outcomes), ""
    yield "turns that ended by themselves", share_percent(one.end_ms is not None for one in outcomes), "%"
    yield "end of turn p50", percentile((one.end_ms for one in outcomes if one.end_ms is not None), 50), "ms"
