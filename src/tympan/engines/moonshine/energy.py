"""Loudness of a stream in steps of 10 ms: where its silences are."""

from __future__ import annotations

import numpy as np

from tympan.core.units import ENGINE_SAMPLE_RATE_HZ
from tympan.engines.base import Samples
from tympan.engines.moonshine.timestamps import STEP_MS, SilenceTrack

_STEP_SAMPLES = ENGINE_SAMPLE_RATE_HZ * STEP_MS // 1000
_FLOOR = 1e-10
_FULL_SCALE = np.float32(32768)

_QUIET_PERCENTILE, _LOUD_PERCENTILE = 5, 95
_SILENCE_SHARE = 0.4
"""Silent is what lies in the lowest share of the span between quiet and loud, in dB. On recorded speech, word
ends are best at 0.4 to 0.5 of 0.2 to 0.5; the lower value spares quiet syllables."""


class EnergyTrack:
    """Levels of the audio from `start_sample` on, on a grid that begins at the stream's first sample.

    `accept` only keeps the samples; what reads the levels measures them, many steps at once.
    """

    def __init__(self, start_sample: int = 0) -> None:
        # A window that starts inside a step leaves out the rest of that step.
        self._first_step = -(-start_sample // _STEP_SAMPLES)
        self._skipped = self._first_step * _STEP_SAMPLES - start_sample
        self._levels_db = np.zeros(0, np.float32)
        self._waiting: list[Samples] = []

    def accept(self, samples: Samples) -> None:
        """Add audio behind."""
        self._waiting.append(samples.copy())

    def trim(self, sample: int) -> None:
        """Forget whole steps before `sample`."""
        self._measure()
        dropped = min(len(self._levels_db), max(0, sample // _STEP_SAMPLES - self._first_step))
        self._levels_db = self._levels_db[dropped:].copy()
        self._first_step += dropped

    def _measure(self) -> None:
        if not self._waiting:
            return
        waiting = np.concatenate(self._waiting)
        skipped = min(self._skipped, len(waiting))
        self._skipped -= skipped
        count = (len(waiting) - skipped) // _STEP_SAMPLES
        end = skipped + count * _STEP_SAMPLES
        steps = waiting[skipped:end].reshape(count, _STEP_SAMPLES) / _FULL_SCALE
        levels = 10 * np.log10((steps**2).mean(axis=1) + _FLOOR)
        self._levels_db = np.concatenate([self._levels_db, levels.astype(np.float32)])
        self._waiting = [waiting[end:].copy()]

    def silence(self) -> SilenceTrack:
        """Which steps are silent, judged by the range of levels kept. Nothing is silent in no audio."""
        self._measure()
        start_ms = self._first_step * STEP_MS
        if not len(self._levels_db):
            return SilenceTrack(start_ms, ())
        quiet, loud = np.percentile(self._levels_db, [_QUIET_PERCENTILE, _LOUD_PERCENTILE])
        threshold = quiet + _SILENCE_SHARE * (loud - quiet)
        return SilenceTrack(start_ms, tuple((self._levels_db < threshold).tolist()))
