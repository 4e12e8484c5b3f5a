"""Speech in noise at stated levels, and what is heard in it. PURE but for the engine and the recordings.

The level of the speech is its power from the start of the recording to the end of the speech. Noise begins well
before the speech and goes on after it, as on a line that is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.dataset import RATE_HZ, SAMPLES_PER_MS, Samples, Utterance, room_tone
from bench.listening import default_recognizer, hear
from bench.offline import decoded_text
from bench.scoring import WordErrors, word_errors
from tympan.core.config import FocusConfig, OutputConfig, SessionConfig
from tympan.core.events import EndReason, TurnEnded
from tympan.dsp.focus import Suppressor

LEAD_MS = 1_500
TAIL_MS = 1_200
VOICES = 6
_AROUND_MS = 100
_SLACK_MS = 300
"""A word is part of the speech if its middle lies no further outside."""

Wave = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mixture:
    """An utterance in a noise. `voices` talk in the background, each from its beginning; without any, `noise` sounds,
    repeated; without both it is quiet. `snr_db` is the level of the speech over all of it."""

    utterance: Utterance
    snr_db: float = 0.0
    voices: tuple[Utterance, ...] = ()
    noise: Samples | None = None

    def samples(self) -> Samples:
        """Turned down as a whole where it would clip."""
        speech = self.utterance.samples().astype(np.float64)
        level = _level(speech[: self.utterance.speech_end_ms * SAMPLES_PER_MS])
        padded = np.pad(speech, (LEAD_MS * SAMPLES_PER_MS, TAIL_MS * SAMPLES_PER_MS))
        noise = self._noise(len(padded))
        if noise is None:
            mixed = padded + room_tone(len(padded) // SAMPLES_PER_MS)
        else:
            mixed = padded + noise * (level / _level(noise) * 10 ** (-self.snr_db / 20))
        mixed *= min(1.0, 32_000 / np.abs(mixed).max())
        return np.round(mixed).astype(np.int16)

    def _noise(self, sample_count: int) -> Wave | None:
        if self.voices:
            voices = [voice.samples().astype(np.float64) for voice in self.voices]
            babble: Wave = np.sum([np.resize(voice / _level(voice), sample_count) for voice in voices], axis=0)
            return babble
        return None if self.noise is None else np.resize(self.noise.astype(np.float64), sample_count)


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """What a session made of a mixture. `false_words` were heard where nobody spoke to it; `end_ms` is from the true
    end of the speech to the end of the turn on the audio clock, None where only the end of the audio ended it."""

    errors: WordErrors
    false_words: int
    end_ms: int | None


def offline_errors(mixture: Mixture, settings: Sequence[FocusConfig | None]) -> list[WordErrors]:
    """The same mixture with each setting: one decode of the speech, cut out with a little around it."""
    samples, utterance = mixture.samples(), mixture.utterance
    first_ms = LEAD_MS - _AROUND_MS
    last_ms = len(samples) // SAMPLES_PER_MS - TAIL_MS + _AROUND_MS
    heard = (suppressed(samples, focus)[first_ms * SAMPLES_PER_MS : last_ms * SAMPLES_PER_MS] for focus in settings)
    return [word_errors(utterance.text, decoded_text(some), is_digits=utterance.is_digits) for some in heard]


def suppressed(samples: Samples, focus: FocusConfig | None) -> Samples:
    """As a session with that setting hears it."""
    if focus is None:
        return samples
    suppressor = Suppressor(focus)
    return np.concatenate([suppressor.suppress(samples), suppressor.flush()])


def session_outcomes(mixture: Mixture, settings: Sequence[FocusConfig | None]) -> list[SessionOutcome]:
    """The same mixture, heard in a session with each setting: formatted finals, no partials."""
    samples = mixture.samples()
    return [_outcome(mixture.utterance, samples, focus) for focus in settings]


def _outcome(utterance: Utterance, samples: Samples, focus: FocusConfig | None) -> SessionOutcome:
    config = SessionConfig(focus=focus, output=OutputConfig(format_turns=True, include_partial_turns=False))
    ended = [
        (heard.judged_until_ms, event)
        for heard in hear(default_recognizer(), samples, config)
        for event in heard.events
        if isinstance(event, TurnEnded)
    ]
    words = [word for _, turn in ended for word in turn.formatted_words]
    first_ms, last_ms = LEAD_MS, LEAD_MS + utterance.speech_end_ms
    middles_ms = [(word.start_ms + word.end_ms) / 2 for word in words]
    is_outside = [not first_ms - _SLACK_MS <= middle_ms <= last_ms + _SLACK_MS for middle_ms in middles_ms]
    ends_ms = [at_ms - last_ms for at_ms, turn in ended if turn.reason is not EndReason.SESSION_ENDED]
    return SessionOutcome(
        word_errors(utterance.text, " ".join(word.text for word in words), is_digits=utterance.is_digits),
        sum(is_outside),
        min((end_ms for end_ms in ends_ms if end_ms >= 0), default=None),
    )


def steady_noise(duration_ms: int, *, seed: int = 0) -> Samples:
    """Noise like that of machines and wind: its power falls with the frequency (pink)."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(duration_ms * SAMPLES_PER_MS))
    wave = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), duration_ms * RATE_HZ // 1000)
    return np.round(wave / _level(wave) * 2_000).astype(np.int16)


def others(utterances: Sequence[Utterance], index: int, count: int = VOICES) -> tuple[Utterance, ...]:
    """Other recordings, far away in the list and so of other speakers, mostly; the same for the same index."""
    step = max(1, len(utterances) // (count + 1))
    return tuple(utterances[(index + step * (nth + 1)) % len(utterances)] for nth in range(count))


def _level(wave: Wave) -> float:
    return float(np.sqrt(np.mean(np.square(wave)))) or 1.0
