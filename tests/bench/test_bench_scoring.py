"""Alignment and word error rate."""

from __future__ import annotations

import math

from bench.scoring import WordErrors, align, equal_pairs, total, word_errors, word_key
from hypothesis import given
from hypothesis import strategies as st

texts = st.lists(st.sampled_from("abc"), max_size=8)


@given(texts, texts)
def test_an_alignment_uses_every_word_once_and_in_order(reference: list[str], hypothesis: list[str]) -> None:
    pairs = [pair for pair, _ in align(reference, hypothesis)]
    assert [p.reference for p in pairs if p.reference is not None] == list(range(len(reference)))
    assert [p.hypothesis for p in pairs if p.hypothesis is not None] == list(range(len(hypothesis)))


@given(texts, texts)
def test_the_number_of_errors_is_the_edit_distance(reference: list[str], hypothesis: list[str]) -> None:
    errors = sum(not is_same for _, is_same in align(reference, hypothesis))

    def distance(a: list[str], b: list[str]) -> int:
        row = list(range(len(b) + 1))
        for i, x in enumerate(a, 1):
            previous, row[0] = row[0], i
            for j, y in enumerate(b, 1):
                previous, row[j] = row[j], min(previous + (x != y), row[j] + 1, row[j - 1] + 1)
        return row[-1]

    assert errors == distance(reference, hypothesis)


@given(texts, st.integers(0, 8))
def test_a_beginning_pairs_with_itself_when_the_rest_is_free(text: list[str], count: int) -> None:
    beginning = text[:count]
    assert equal_pairs(text, beginning, is_prefix=True) == {i: i for i in range(len(beginning))}


def test_a_partial_with_a_wrong_word_pairs_with_the_beginning_not_with_a_later_repeat() -> None:
    assert equal_pairs(["the", "cat", "saw", "the", "dog"], ["the", "hat"], is_prefix=True) == {0: 0}


def test_texts_are_scored_after_whispers_normaliser() -> None:
    assert word_errors("Don't pay twenty-five dollars!", "do not pay $25") == WordErrors(0, 4)


def test_digit_strings_are_scored_digit_by_digit() -> None:
    assert word_errors("one zero zero", "1 0 0", is_digits=True).errors == 0
    assert word_errors("one zero nine", "1 0 8", is_digits=True) == WordErrors(1, 3)


def test_a_rate_is_over_all_words_of_the_set() -> None:
    rate = total([WordErrors(1, 10), WordErrors(0, 30)]).percent
    assert rate == 2.5


def test_a_rate_of_nothing_is_not_a_number() -> None:
    assert math.isnan(WordErrors().percent)


def test_a_key_forgets_case_and_punctuation_only() -> None:
    assert word_key("“Don’t,”") == "don't"
    assert word_key("iced") != word_key("ice")
