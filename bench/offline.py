"""Greedy decode of whole utterances with the same model: what streaming is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from bench.dataset import Samples, Utterance
from bench.listening import default_model, on_all_cores
from bench.scoring import WordErrors, total, word_errors


def offline_errors(utterances: Sequence[Utterance]) -> WordErrors:
    """Errors over the utterances, each decoded at once with nothing before or after it."""
    texts = on_all_cores(offline_text, utterances)
    return total(word_errors(u.text, text, is_digits=u.is_digits) for u, text in zip(utterances, texts, strict=True))


def offline_text(utterance: Utterance) -> str:
    """What the model hears in the whole utterance at once."""
    return decoded_text(utterance.samples())


def decoded_text(samples: Samples) -> str:
    """What the model hears in all of it at once."""
    model = default_model()
    window = model.open_window()
    window.accept(samples)
    decoding = model.decode(model.encode(window.features()))
    return model.vocabulary.text(decoding.tokens)
