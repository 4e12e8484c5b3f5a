"""How a word of the model reads in a raw transcript."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.formatting.plain import plain_text
from tympan.formatting.tidy import tidy_text

texts = st.text() | st.text(alphabet="aA1.-$%'°#+, ̴̹é–…İΣ")


@pytest.mark.parametrize(
    ("written", "raw"),
    [
        ("Hello,", "hello"),
        ("“Yes!”", "yes"),
        ("don’t", "don't"),
        ("'tis", "tis"),
        ("dogs'", "dogs"),
        ("rock-n-roll", "rock-n-roll"),
        ("well—known", "well-known"),
        ("Wait—", "wait"),
        ("U.S.", "u.s"),
        ("AT&T", "at&t"),
        ("and/or", "and/or"),
        ("bob@example.com.", "bob@example.com"),
        ("word(s)", "words"),
        ("$5.00,", "$5.00"),
        ("£20", "£20"),
        ("50%.", "50%"),
        ("20°", "20°"),
        ("3:30,", "3:30"),
        ("1,000.", "1,000"),
        ("(-5)", "-5"),
        (".5", ".5"),
        ("...5", "5"),
        ("#1", "#1"),
        ("+44", "+44"),
        ("Café", "café"),
        ("--", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_a_word_is_lower_case_and_without_punctuation(written, raw):
    assert plain_text(written) == raw


@given(texts)
def test_a_raw_word_stays_as_it_is(text):
    assert plain_text(plain_text(text)) == plain_text(text)


@given(st.text(alphabet="aB5'-", min_size=1), st.text(alphabet='.,!?;:"…'))
def test_punctuation_that_comes_later_changes_no_raw_word(text, punctuation):
    assert plain_text(text + punctuation) == plain_text(text)


@given(texts)
def test_tidy_text_stays_as_it_is(text):
    assert tidy_text(tidy_text(text)) == tidy_text(text)


@given(st.text(alphabet="abYZ.,?!", max_size=8))
def test_the_short_way_for_simple_words_gives_the_same(text):
    assert plain_text(text) == plain_text('"' + text)
