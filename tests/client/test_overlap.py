"""Which words of a new session are repetitions of told ones: by text near their time, else by time."""

from __future__ import annotations

import pytest

from tympan.client.overlap import told_count
from tympan.wire.v3.messages import Word


def words(*spoken: tuple[str, int, int]) -> list[Word]:
    return [Word(start, end, 0.9, text, True) for text, start, end in spoken]


TOLD = words(("is", 800, 990), ("sonny", 1000, 1300))


@pytest.mark.parametrize(
    ("heard", "count"),
    [
        ([], 0),
        ([("sonny", 1000, 1300), ("and", 1350, 1500)], 1),
        ([("is", 800, 950), ("sonny", 1010, 1310), ("and", 1350, 1500)], 2),
        ([("Sonny.", 1100, 1420), ("And", 1430, 1500)], 1),
        ([("sunny", 1000, 1290), ("and", 1350, 1500)], 1),
        ([("son", 1000, 1150), ("nee", 1160, 1290), ("and", 1350, 1500)], 2),
        ([("and", 1350, 1500)], 0),
        ([("sonny", 1750, 2000)], 0),
        ([("sonny", 1000, 1300), ("sonny", 1310, 1600)], 1),
        ([("is", 800, 960), ("sonny", 1700, 2000), ("and", 2010, 2100)], 2),
        ([("was", 800, 960), ("sonny", 1700, 2000)], 1),
        ([("uh", 700, 800), ("sonny", 1290, 1390), ("and", 1400, 1500)], 2),
    ],
    ids=[
        "nothing was heard",
        "the last word comes again",
        "two words come again",
        "it comes formatted and a little later",
        "it is heard differently",
        "it is heard as two",
        "it is not heard again",
        "it is said again, much later",
        "it is said twice in a row",
        "it is placed behind the pause after the word before it",
        "it is said again behind another word",
        "it comes behind a noise and late",
    ],
)
def test_leading_words_that_were_told(heard: list[tuple[str, int, int]], count: int) -> None:
    assert told_count(words(*heard), TOLD) == count


def test_where_nothing_was_told_nothing_is_a_repetition() -> None:
    assert told_count(words(("sonny", 0, 300)), []) == 0


def test_what_is_no_word_is_compared_as_it_is() -> None:
    assert told_count(words(("—", 1000, 1300), ("!", 1400, 1500)), words(("—", 1000, 1300))) == 1
