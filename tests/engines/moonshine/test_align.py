"""Where a decode goes on after the final words."""

from __future__ import annotations

import pytest
from decodes import word, words
from hypothesis import given
from hypothesis import strategies as st

from tympan.engines.moonshine.align import continuation
from tympan.engines.moonshine.hypothesis import DecodedWord


def after(final: list[DecodedWord], decoded: list[DecodedWord]) -> list[str]:
    return [each.key for each in decoded[continuation(final, decoded) :]]


def test_without_final_words_all_is_new() -> None:
    assert after([], words("the cat sat")) == ["the", "cat", "sat"]


def test_equal_words_are_passed_over_whatever_their_times() -> None:
    assert after(words("the cat"), words("the cat sat", begin_ms=900)) == ["sat"]


def test_an_empty_decode_has_nothing_new() -> None:
    assert after(words("the cat"), []) == []


def test_a_respelt_final_word_is_passed_over() -> None:
    assert after(words("the cat"), words("the cap sat on")) == ["sat", "on"]


def test_a_final_word_that_the_decode_splits_costs_no_new_word() -> None:
    final = [word("the", 0), word("woodcutters", 250, 900), word("came", 1000)]
    split = [word("the", 0), word("wood", 250), word("cutters", 600), word("came", 1000), word("home", 1250)]
    assert after(final, split) == ["home"]


def test_final_words_that_the_decode_merges_are_passed_over() -> None:
    final = [word("the", 0), word("wood", 250), word("cutters", 600)]
    assert after(final, [word("the", 0), word("woodcutters", 250), word("came", 1000)]) == ["came"]


def test_a_final_word_that_the_decode_dropped_costs_no_new_word() -> None:
    final = words("so the cat")
    assert after(final, [word("the", 250), word("cat", 500), word("sat", 750)]) == ["sat"]


def test_a_word_said_twice_is_told_from_one_that_was_final_by_time() -> None:
    final = words("so very")
    assert after(final, [word("so", 0), word("very", 250), word("very", 500), word("good", 750)]) == [
        "very",
        "good",
    ]


@pytest.mark.parametrize(("end_ms", "new"), [(1050, ["home"]), (1051, [])])
def test_another_word_within_the_last_final_one_is_a_new_reading_of_it(end_ms: int, new: list[str]) -> None:
    final = [word("they", 0), word("woodcutters", 500, end_ms)]
    assert after(final, [word("they", 0), word("home", 950)]) == new


def test_only_the_last_twelve_final_words_are_aligned() -> None:
    final = words(" ".join(f"w{n}" for n in range(20)))
    shown = [word("other", 0), *final[8:], word("new", 5000)]
    assert after(final, shown) == ["new"]


def test_text_long_before_the_remembered_words_is_never_taken_for_new() -> None:
    final = words(" ".join(f"w{n}" for n in range(20)))
    assert after(final, words("something else entirely")) == []


spoken = st.lists(st.builds(word, st.sampled_from(["a", "b", "c", "dog"]), st.integers(0, 4000)), max_size=20)


@given(final=spoken, decoded=spoken)
def test_any_words_give_an_index_into_the_decode(final: list[DecodedWord], decoded: list[DecodedWord]) -> None:
    assert 0 <= continuation(final, decoded) <= len(decoded)


@given(final=spoken, new=spoken)
def test_a_decode_that_begins_with_the_final_words_goes_on_right_after_them(
    final: list[DecodedWord], new: list[DecodedWord]
) -> None:
    assert continuation(final, [*final, *new]) == len(final)
