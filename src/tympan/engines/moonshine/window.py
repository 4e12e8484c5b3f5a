"""Window: the audio that is decoded again and again, and the text that it gave last.

Decodes are never conditioned on final words; the last text is only offered as a draft, which saves time.
"""

from __future__ import annotations

from dataclasses import replace

from tympan.core.units import ENGINE_SAMPLE_RATE_HZ, StreamMs, sample_count, stream_ms
from tympan.engines.base import Samples
from tympan.engines.moonshine.decode_repair import cut_invented_tail
from tympan.engines.moonshine.decoder import Decoding
from tympan.engines.moonshine.energy import EnergyTrack
from tympan.engines.moonshine.frontend import MIN_WINDOW_SAMPLES
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.timestamps import decoded_words


class Window:
    """Audio from `start_ms` on. Grows behind, is trimmed in front. No word of it begins before `earliest_ms`."""

    def __init__(self, model: MoonshineModel, start_sample: int, earliest_ms: int) -> None:
        self._model = model
        self._earliest_ms = earliest_ms
        self._features = model.open_window(start_sample)
        self._energy = EnergyTrack(start_sample)
        self._draft: tuple[DecodedWord, ...] = ()
        self._end_probability = 0.0

    @property
    def start_ms(self) -> StreamMs:
        return stream_ms(self._features.start_sample, ENGINE_SAMPLE_RATE_HZ)

    @property
    def end_ms(self) -> StreamMs:
        return stream_ms(self._features.end_sample, ENGINE_SAMPLE_RATE_HZ)

    @property
    def end_probability(self) -> float:
        """P(. ? !) + P(end of text) after the last word of the last decode."""
        return self._end_probability

    def accept(self, samples: Samples) -> None:
        """Add audio behind."""
        self._features.accept(samples)
        self._energy.accept(samples)

    def decode(self, *, is_last: bool) -> Decode:
        """Decode all of it. `is_last`: the speech is over, so nothing of the text is cut as invented."""
        if self._features.end_sample - self._features.start_sample < MIN_WINDOW_SAMPLES:
            return Decode(self.start_ms, self.end_ms, (), has_ended=False, was_cut=False)
        draft = [token for word in self._draft for token in word.tokens]
        decoding = self._model.decode(self._model.encode(self._features.features()), draft)
        decode = self._read(decoding)
        self._draft = decode.words
        self._end_probability = decoding.end_score.probability
        return decode if is_last else cut_invented_tail(decode)

    def trim(self, before_ms: int) -> StreamMs:
        """Forget audio before that time; returns the new start, up to 12 ms before it."""
        start_sample = self._features.trim(sample_count(before_ms, ENGINE_SAMPLE_RATE_HZ))
        self._energy.trim(start_sample)
        self._draft = tuple(word for word in self._draft if word.start_ms >= self.start_ms)
        return self.start_ms

    def _read(self, decoding: Decoding) -> Decode:
        spans = self._model.vocabulary.spans(decoding.tokens)
        words = decoded_words(decoding, spans, self._energy.silence(), self.start_ms)
        return Decode(
            window_start_ms=self.start_ms,
            judged_until_ms=self.end_ms,
            words=tuple(self._placed(word) for word in words),
            has_ended=decoding.has_ended,
            was_cut=False,
        )

    def _placed(self, word: DecodedWord) -> DecodedWord:
        if word.start_ms >= self._earliest_ms:
            return word
        return replace(word, start_ms=self._earliest_ms, end_ms=max(word.end_ms, self._earliest_ms))
