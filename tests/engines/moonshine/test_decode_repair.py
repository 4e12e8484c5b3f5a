"""Invented tails."""

from __future__ import annotations

import pytest
from decodes import decode, keys, word

from tympan.engines.moonshine.decode_repair import cut_invented_tail


@pytest.mark.parametrize(("third_ms", "is_cut"), [(629, True), (630, False)])
def test_three_words_that_start_within_130_ms_are_an_invented_tail(third_ms: int, is_cut: bool) -> None:
    spoken = [word("so", 0), word("um,", 500), word("um", 560), word("um", third_ms), word("um", 900)]
    cut = cut_invented_tail(decode(spoken, 1500, has_ended=True))
    assert cut.was_cut is is_cut
    assert cut.has_ended is not is_cut
    assert keys(cut.words) == ("so um" if is_cut else "so um um um um")


def test_the_word_kept_of_an_invented_tail_is_open() -> None:
    spoken = [word("um.", 500), word("um", 510), word("um", 520)]
    assert cut_invented_tail(decode(spoken, 1500)).words[0].is_closed is False


def test_two_words_are_never_an_invented_tail() -> None:
    whole = decode([word("a", 0), word("b", 0)], 1500)
    assert cut_invented_tail(whole) == whole
