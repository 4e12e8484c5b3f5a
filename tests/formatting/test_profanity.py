"""Which words are masked, and how."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.formatting.profanity import mask_text


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("shit", "s***"),
        ("Fucking,", "F******,"),
        ("fuck's", "f***'s"),
        ("“Bullshit!”", "“B*******!”"),
        ("ass-hole", "a**-hole"),
        ("ASSHOLES", "A*******"),
    ],
)
def test_a_profane_word_keeps_its_first_letter_its_suffix_and_its_punctuation(written, masked):
    assert mask_text(written) == masked


INNOCENT = """
    class assess assume bass Scunthorpe cocktail cockpit Dickens shitake prickly crappie Hitchcock therapist
    Fagin pricked craps button title mass Essex swank mishit bugle hello damn hell classic grass pass
"""


@pytest.mark.parametrize("word", INNOCENT.split())
def test_an_innocent_word_is_left_alone(word):
    assert mask_text(word) == word


@given(st.text() | st.text(alphabet="fuckshit'-*"))
def test_masking_keeps_the_length_and_masks_once(text):
    assert len(mask_text(text)) == len(text)
    assert mask_text(mask_text(text)) == mask_text(text)
