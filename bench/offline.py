"""Greedy decode of whole utterances with the same model: what streaming is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from bench.dataset import Samples, Utterance
from bench.scoring import WordErrors, total, word_errors
from tympan.engines.moonshine.assets import default_files
from tympan.engines.moonshine.cache import default_cache_dir
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.precision import best_precision


def offline_errors(utterances: Sequence[Utterance]) -> WordErrors:
    """Errors over the utterances, each decoded at once with nothing before or after it."""
    model = MoonshineModel.load(default_files(), default_cache_dir(), best_precision())
    return total(word_errors(u.text, offline_text(model, u.samples()), is_digits=u.is_digits) for u in utterances)


def offline_text(model: MoonshineModel, samples: Samples) -> str:
    """What the model hears in all of the samples at once."""
    window = model.open_window()
    window.accept(samples)
    decoding = model.decode(model.encode(window.features()))
    return model.vocabulary.text(decoding.tokens)
