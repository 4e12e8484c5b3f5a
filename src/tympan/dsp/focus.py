"""Noise suppression before anything listens: WebRTC's, over a stream of 16 kHz samples. No I/O.

Rules:
- The same samples give the same output however they are chunked.
- As many samples come out as went in, and a sound at t comes out at t: the suppressor's delay is taken off, so word
  times stay as they are. What is held back meanwhile (6 to 16 ms) comes with the next samples, or with `flush`.
- The noise is turned down, never removed: recognizers hear through noise better than through what a suppressor
  leaves of the speech in it (measured, see the benchmarks).
- The package `pywebrtc-audio` is imported by the first session that asks for it: few do.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from tympan.core.config import FocusConfig, Microphone
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ
from tympan.dsp.decode import Decoder

_FRAME_SAMPLES = 160
"""What the suppressor works on: 10 ms."""

_DELAY_SAMPLES = 96
"""How much later a sound leaves it: 6 ms, of its overlapping windows. The same at every level."""

MOST_DB = {Microphone.NEAR_FIELD: 12, Microphone.FAR_FIELD: 6}
"""How far noise is turned down at full strength. More, and words are lost with it (see the benchmarks)."""

_LEVELS = {6: 0, 12: 1}
"""The library's names for that."""

_NOTHING = np.zeros(0, dtype=np.int16)


def can_focus() -> bool:
    """Whether the package that suppresses noise is installed."""
    return find_spec("pywebrtc_audio") is not None


def focused(decoder: Decoder, focus: FocusConfig | None) -> Decoder:
    """The decoder, with the noise in what it decodes suppressed as asked; the decoder itself where nobody asked."""
    return decoder if focus is None else FocusedDecoder(decoder, Suppressor(focus))


class FocusedDecoder:
    """A `Decoder` (see `decode`) behind which noise is suppressed."""

    def __init__(self, decoder: Decoder, suppressor: Suppressor) -> None:
        self._decoder = decoder
        self._suppressor = suppressor

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        return self._suppressor.suppress(self._decoder.decode(payload))

    def flush(self) -> NDArray[np.int16]:
        """What was held back, here and there. No audio may follow. Idempotent."""
        return np.concatenate([self._suppressor.suppress(self._decoder.flush()), self._suppressor.flush()])


class Suppressor:
    """One stream's noise suppression. It learns the noise as it goes."""

    def __init__(self, focus: FocusConfig) -> None:
        from pywebrtc_audio import NoiseSuppressor  # noqa: PLC0415  (few sessions need it)

        most_db = MOST_DB[focus.microphone]
        self._webrtc = NoiseSuppressor(ENGINE_SAMPLE_RATE_HZ, level=_LEVELS[most_db])
        self._share = np.float32(_turned_down(focus.strength * most_db) / _turned_down(most_db))
        self._waiting = _NOTHING  # the beginning of a frame
        self._held = _NOTHING  # what came in and hasn't come out
        self._delay_samples = _DELAY_SAMPLES  # of what the library gives, still to be left out

    def suppress(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """The samples that are certain now; any number, none included."""
        self._held = np.concatenate([self._held, samples])
        waiting = np.concatenate([self._waiting, samples])
        whole = len(waiting) - len(waiting) % _FRAME_SAMPLES
        self._waiting = waiting[whole:]
        return self._mix(waiting[:whole])

    def flush(self) -> NDArray[np.int16]:
        """The rest: brings the output to as many samples as came in. No audio may follow. Idempotent."""
        if not len(self._held):
            return _NOTHING
        tail = len(self._waiting) + _DELAY_SAMPLES
        return self._mix(np.pad(self._waiting, (0, _DELAY_SAMPLES + -tail % _FRAME_SAMPLES)))

    def _mix(self, frames: NDArray[np.int16]) -> NDArray[np.int16]:
        """Suppress whole frames; what comes out of that is mixed with what it came from."""
        if not len(frames):
            return _NOTHING
        wet = self._webrtc.process(frames)
        left_out = min(self._delay_samples, len(wet))
        self._delay_samples -= left_out
        wet = wet[left_out:][: len(self._held)].astype(np.float32)
        dry, self._held = self._held[: len(wet)].astype(np.float32), self._held[len(wet) :]
        mixed: NDArray[np.int16] = np.rint(dry + self._share * (wet - dry)).astype(np.int16)
        return mixed


def _turned_down(db: float) -> float:
    """The part of an amplitude that is missing when it is so much lower."""
    return float(1 - 10 ** (-db / 20))
