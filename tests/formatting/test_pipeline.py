"""Steps change texts and nothing else, and doing them twice changes nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.formatting.pipeline import FORMATTED_STEPS, RAW_STEPS, EnglishWording, mask

texts = st.text() | st.sampled_from(["hello,", "“it’s", "iPhone", "—", "shit!", "ǆ", "3pm"])
words = st.lists(
    st.builds(Word, texts, st.integers(0).map(StreamMs), st.integers(0).map(StreamMs), st.floats(0, 1))
).map(tuple)
wording = EnglishWording()


def said(*texts):
    return tuple(Word(text, StreamMs(0), StreamMs(1), 0.5) for text in texts)


def texts_of(words):
    return [word.text for word in words]


@pytest.mark.parametrize("step", [*RAW_STEPS, *FORMATTED_STEPS, mask], ids=lambda step: step.__name__)
@given(words=words)
def test_a_step_keeps_words_aligned_and_done_twice_changes_nothing_more(step, words):
    once = step(words)
    assert [replace(word, text="") for word in once] == [replace(word, text="") for word in words]
    assert step(once) == once


@given(words, st.booleans())
def test_formatting_is_idempotent_as_a_whole(words, filters):
    once = wording.formatted(words, filter_profanity=filters)
    assert wording.formatted(once, filter_profanity=filters) == once


@given(words)
def test_each_raw_word_depends_on_itself_alone(words):
    whole = wording.raw(words, filter_profanity=True)
    assert whole == tuple(wording.raw((word,), filter_profanity=True)[0] for word in words)


@pytest.mark.parametrize(
    ("written", "formatted"),
    [
        (["hello,", "you."], ["Hello,", "you."]),
        (["“it’s"], ["\"It's"]),
        (["Hello"], ["Hello"]),
        (["iPhone", "users"], ["iPhone", "users"]),
        (["3pm", "is", "late"], ["3pm", "is", "late"]),
        (["—", "so"], ["-", "so"]),
        (["Wait——what"], ["Wait-what"]),
        (["e\u0301t\u00e9"], ["\u00c9t\u00e9"]),
        ([], []),
    ],
)
def test_a_formatted_turn_is_tidy_and_starts_with_a_capital(written, formatted):
    assert texts_of(wording.formatted(said(*written), filter_profanity=False)) == formatted


def test_raw_words_are_masked_after_they_are_plain():
    assert texts_of(wording.raw(said("Oh,", "Shit!"), filter_profanity=True)) == ["oh", "s***"]


def test_nothing_is_masked_unless_asked_for():
    assert texts_of(wording.formatted(said("Shit!"), filter_profanity=False)) == ["Shit!"]
