from __future__ import annotations

import threading
from difflib import SequenceMatcher

import numpy as np
import pytest

from tympan.core.errors import UsageError
from tympan.engines.base import Samples
from tympan.engines.moonshine.decoder import is_looping, token_limit
from tympan.engines.moonshine.encoder import MAX_FRAMES, Encoded
from tympan.engines.moonshine.energy import EnergyTrack
from tympan.engines.moonshine.model import MoonshineModel

BECKETT = "Ever tried, ever failed, no matter, try again, fail again, fail better."
TWO_CITIES = (
    "It was the best of times. It was the worst of times. It was the age of wisdom. It was the age of "
    "foolishness. It was the epoch of belief. It was the epoch of incredulity. It was a season of light."
)


def encoded(model: MoonshineModel, samples: Samples) -> Encoded:
    window = model.open_window()
    window.accept(samples)
    return model.encode(window.features())


def test_the_exact_model_writes_what_is_said(
    exact_model: MoonshineModel, beckett: Samples, two_cities: Samples
) -> None:
    for samples, text in ((beckett, BECKETT), (two_cities, TWO_CITIES)):
        decoding = exact_model.decode(encoded(exact_model, samples))
        assert exact_model.vocabulary.text(decoding.tokens) == text
        assert decoding.has_ended


def test_the_fast_model_writes_nearly_the_same_tokens(
    exact_model: MoonshineModel, fast_model: MoonshineModel, beckett: Samples, two_cities: Samples
) -> None:
    for samples in (beckett, two_cities):
        exact = exact_model.decode(encoded(exact_model, samples)).tokens
        fast = fast_model.decode(encoded(fast_model, samples)).tokens
        assert SequenceMatcher(None, exact, fast, autojunk=False).ratio() > 0.9


@pytest.mark.parametrize("draft_length", [0, 1, 9, 1000])
def test_a_right_draft_changes_nothing_but_the_work(
    exact_model: MoonshineModel, two_cities: Samples, draft_length: int
) -> None:
    window = encoded(exact_model, two_cities)
    plain = exact_model.decode(window)
    drafted = exact_model.decode(window, plain.tokens[:draft_length])
    assert drafted.tokens == plain.tokens
    assert drafted.peaks == plain.peaks
    assert drafted.log_probs == pytest.approx(plain.log_probs, abs=1e-3)
    assert drafted.margins == pytest.approx(plain.margins, abs=1e-3)
    assert drafted.end_score.probability == pytest.approx(plain.end_score.probability, abs=1e-4)
    assert drafted.accepted_count == min(draft_length, len(plain.tokens))


def test_a_wrong_draft_changes_nothing(exact_model: MoonshineModel, beckett: Samples) -> None:
    window = encoded(exact_model, beckett)
    plain = exact_model.decode(window)
    wrong = (*plain.tokens[:5], 4000, *plain.tokens[5:])
    drafted = exact_model.decode(window, wrong)
    assert drafted.tokens == plain.tokens
    assert drafted.accepted_count == 5


def test_a_token_limit_stops_the_text_before_its_end(exact_model: MoonshineModel, beckett: Samples) -> None:
    window = encoded(exact_model, beckett)
    whole = exact_model.decode(window)
    limited = exact_model.decode(window, max_tokens=7)
    assert limited.tokens == whole.tokens[:7]
    assert not limited.has_ended


def test_a_complete_sentence_scores_higher_than_one_cut_short(fast_model: MoonshineModel, two_cities: Samples) -> None:
    complete = fast_model.decode(encoded(fast_model, two_cities)).end_score
    cut = fast_model.decode(encoded(fast_model, two_cities[: 12 * 16_000])).end_score
    assert 0 <= cut.probability < complete.probability <= 1


def test_words_have_times_in_order_and_confidence(fast_model: MoonshineModel, beckett: Samples) -> None:
    energy = EnergyTrack()
    energy.accept(beckett)
    words = fast_model.words(fast_model.decode(encoded(fast_model, beckett)), energy.silence(), 0)
    assert " ".join(word.text for word in words) == BECKETT
    assert [word.start_ms for word in words] == sorted(word.start_ms for word in words)
    assert all(word.start_ms < word.end_ms <= 10_000 for word in words)
    assert all(word.log_prob <= 0 <= word.margin for word in words)


def test_a_window_later_in_the_stream_gives_the_same_words_at_later_times(
    fast_model: MoonshineModel, beckett: Samples
) -> None:
    decoding = fast_model.decode(encoded(fast_model, beckett))
    early, late = EnergyTrack(), EnergyTrack(start_sample=160_000)
    early.accept(beckett)
    late.accept(beckett)
    first = fast_model.words(decoding, early.silence(), 0)
    second = fast_model.words(decoding, late.silence(), 10_000)
    assert [(word.start_ms, word.end_ms) for word in second] == [
        (word.start_ms + 10_000, word.end_ms + 10_000) for word in first
    ]


def test_threads_that_share_a_model_do_not_mix(
    exact_model: MoonshineModel, beckett: Samples, two_cities: Samples
) -> None:
    texts: dict[int, str] = {}

    def transcribe(number: int, samples: Samples) -> None:
        decoding = exact_model.decode(encoded(exact_model, samples))
        texts[number] = exact_model.vocabulary.text(decoding.tokens)

    recordings = (beckett, two_cities) * 2
    threads = [threading.Thread(target=transcribe, args=pair) for pair in enumerate(recordings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {0: BECKETT, 1: TWO_CITIES, 2: BECKETT, 3: TWO_CITIES}


def test_a_window_longer_than_the_model_has_positions_for_is_refused(fast_model: MoonshineModel) -> None:
    window = fast_model.open_window()
    window.accept(_silence(MAX_FRAMES + 4))
    with pytest.raises(UsageError, match="at most 4096 frames"):
        fast_model.encode(window.features())


def _silence(frames: int) -> Samples:
    return np.zeros(frames * 384, np.int16)


def test_a_second_of_speech_may_hold_six_and_a_half_tokens_and_three() -> None:
    assert token_limit(1000 // 24) == 9
    assert token_limit(10_000 // 24) == 67


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([*range(10), *[5] * 6], True),
        ([*range(10), 5, 6, 5, 6, 5, 6], True),
        ([*range(10), *[1, 2, 3, 4] * 3], True),
        ([*range(10), 5, 6, 5, 6], False),
        ([5] * 6, False),
        ([*range(20), 5, 5, 5, 5], False),
        ([*range(20)], False),
    ],
)
def test_a_loop_is_a_few_tokens_said_again_and_again_in_a_longer_text(tokens: list[int], expected: bool) -> None:
    assert is_looping(tokens) is expected
