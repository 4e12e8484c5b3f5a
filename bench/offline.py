"""Greedy decode of whole utterances with the same model: what streaming is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from tympan.engines.moonshine.model import MoonshineModel

from bench.dataset import Utterance
from bench.scoring import WordErrors, total, word_errors


def offline_errors(utterances: Sequence[Utterance]) -> WordErrors:
    """Errors over the utterances, each decoded at once with nothing before or after it."""
    model = MoonshineModel.load()
    return total(
        word_errors(u.text, model.transcribe(u.samples()), is_digits=u.is_digits) for u in utterances
    )
