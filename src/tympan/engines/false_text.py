"""Is this text heard or invented? PURE: standard library only.

Recognizers write words on noise: "You", "I think that's it.", whole sentences on the hum of a machine.
Voice activity detection lets some noise pass, but on noise it is never sure for long, and the words that
are invented there are unsure too. A stream asks `is_false_text` before it shows or makes final the first
words of a turn; once a turn's text is believed, the rest of the turn is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

RECENT_FRAMES = 64
"""About 2 s of speech frames: noise before the speech must not count against it for long."""

FAINTEST = 0.25
"""Least probability of a frame that counts: what is speech, with hysteresis, at the threshold that the limits were
measured with. Who lowers the threshold to miss nothing must not lose short answers to the noise round them."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Speech probability of the recent speech frames of a turn; both 0 where there are none."""

    mean: float = 0.0
    peak: float = 0.0


class VoiceMeter:
    """Follows the speech frames of one turn."""

    __slots__ = ("_recent",)

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT_FRAMES)

    def receive_frame(self, probability: float) -> None:
        """A frame that hysteresis counts as speech; silent frames don't come here."""
        if probability >= FAINTEST:
            self._recent.append(probability)

    def reset(self) -> None:
        """Open the next turn."""
        self._recent.clear()

    @property
    def voice(self) -> Voice:
        if not self._recent:
            return Voice()
        return Voice(sum(self._recent) / len(self._recent), max(self._recent))


@dataclass(frozen=True, slots=True)
class BeliefLimits:
    """When text is believed. Measured with Silero 6 at threshold 0.4 and Moonshine tiny-en.

    Noise: ten clips at their own level and others, clips mixed, coloured noise, tones, keys, clicks and
    synthetic music, 80 minutes, and 99 minutes of random mixes. Speech: 327 utterances, some of them again
    30 dB quieter, with noise at 10 and 3 dB and in telephone band, and 83 single words cut out of sentences.
    """

    clear_mean: float = 0.70
    """Whole utterances: 0.87 or more; with noise at 3 dB 0.83; single words 0.73. Noise: mostly 0.4 to 0.6."""
    clear_peak: float = 0.95
    """Utterances: 0.99 or more; single words 0.956. Unclipped noise of a clear mean: less than 0.93."""
    faint_mean: float = 0.55
    """Speech 30 dB down: 0.59 or more. Noise has as much, so the words must speak for themselves."""
    faint_peak: float = 0.85
    """Speech 30 dB down: 0.88 or more."""
    faint_log_prob: float = -1.2
    """Lowest token; the noise above the faint limits stays below −1.5."""
    faint_words: int = 3
    """Shorter inventions can be sure of themselves: "I." has −0.5."""


LIMITS = BeliefLimits()


def is_false_text(voice: Voice, *, word_count: int, lowest_log_prob: float, limits: BeliefLimits = LIMITS) -> bool:
    """Whether the first words of a turn are to be held back.

    Args:
        voice: how sure voice activity detection was of the turn's recent speech frames.
        word_count: words that hold a letter or a digit; musical notes and punctuation are no words.
        lowest_log_prob: of all tokens of those words (natural log).
    """
    if word_count == 0:
        return True
    if voice.mean >= limits.clear_mean and voice.peak >= limits.clear_peak:
        return False
    is_faint_voice = voice.mean >= limits.faint_mean and voice.peak >= limits.faint_peak
    is_sure_text = word_count >= limits.faint_words and lowest_log_prob >= limits.faint_log_prob
    return not (is_faint_voice and is_sure_text)
