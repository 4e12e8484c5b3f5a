"""The open turn's words over a moving window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.config import Finality, FormattedSource
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.policy import ScoredAgreement
from tympan.engines.moonshine.turn_words import (
    CUT_LEAD_MS,
    KEPT_WINDOW_MS,
    LONG_WINDOW_MS,
    LONGEST_WINDOW_MS,
    TurnWords,
)


def word(text: str, start_ms: int, end_ms: int | None = None, log_prob: float = -0.1) -> DecodedWord:
    end_ms = start_ms + 200 if end_ms is None else end_ms
    key = text.strip(".,?!").lower()
    return DecodedWord(text, key, start_ms, end_ms - 50, end_ms, log_prob, 5.0, text != text.strip(".,?!"), (7,))


def decode(judged_ms: int, *words: DecodedWord, window_ms: int = 0) -> Decode:
    return Decode(window_ms, judged_ms, words, has_ended=True, was_cut=False)


def sentence(text: str, start_ms: int = 500, step_ms: int = 300) -> tuple[DecodedWord, ...]:
    return tuple(word(part, start_ms + index * step_ms) for index, part in enumerate(text.split()))


def texts(turn: TurnWords, source: FormattedSource = FormattedSource.FULL_DECODE) -> tuple[str, str]:
    text = turn.text(source)
    return " ".join(w.text for w in text.words), " ".join(w.text for w in text.formatted_words)


def test_words_are_tentative_until_the_policy_makes_them_final() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.receive(decode(1500, *sentence("book a")))
    assert [w.text for w in turn.hypothesis.words] == ["book", "a"]
    assert turn.hypothesis.final_count == 0
    turn.flush(decode(2000, *sentence("book a table")))
    assert turn.hypothesis.final_count == 3


@pytest.mark.parametrize(
    ("log_prob", "heard_ms_ago", "shown"),
    [(-0.5, 0, ["book", "a"]), (-0.51, 399, ["book"]), (-0.51, 400, ["book", "a"])],
)
def test_a_doubted_word_is_held_back_while_it_is_spoken(log_prob: float, heard_ms_ago: int, shown: list[str]) -> None:
    turn = TurnWords(ScoredAgreement())
    last = word("a", 1000, 1200, log_prob)
    turn.receive(decode(last.attended_ms + heard_ms_ago, word("book", 500), last))
    assert [w.text for w in turn.hypothesis.words] == shown


def test_a_pause_that_may_be_short_shows_all_words_and_makes_none_final_in_haste() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.hear_out(decode(2000, word("book", 500), word("a", 1700, 1950, log_prob=-2.0)))
    assert [w.text for w in turn.hypothesis.words] == ["book", "a"]
    assert turn.hypothesis.final_count == 0


def test_the_end_of_a_turn_makes_the_latest_decode_final() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.hear_out(decode(2000, *sentence("book a table")))
    turn.flush()
    assert texts(turn)[0] == "book a table"
    assert turn.hypothesis.final_count == 3


def test_the_formatted_text_may_correct_a_final_word_and_the_raw_one_keeps_it() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(2000, *sentence("In sure")))
    turn.flush(decode(3000, *sentence("In short, yes.")))
    raw, formatted = texts(turn)
    assert raw.startswith("In sure")
    assert formatted == "In short, yes."


def test_the_formatted_text_can_be_held_to_the_final_words() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(2000, *sentence("In sure")))
    turn.flush(decode(3000, *sentence("In short, yes.")))
    raw, formatted = texts(turn, FormattedSource.FINAL_WORDS)
    assert raw == formatted


def test_a_short_window_is_left_as_it_is() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(LONG_WINDOW_MS - 1, *sentence("One. Two")))
    assert turn.cut_ms(0, LONG_WINDOW_MS - 1) is None


def test_a_long_window_is_cut_behind_its_last_final_sentence() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(LONG_WINDOW_MS, *sentence("One. Two. three four")))
    assert turn.cut_ms(0, LONG_WINDOW_MS) == 500 + 2 * 300 - CUT_LEAD_MS


def test_a_long_window_without_a_final_sentence_waits() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(LONG_WINDOW_MS, *sentence("one two three")))
    assert turn.cut_ms(0, LONG_WINDOW_MS) is None


def test_the_longest_window_is_cut_behind_any_final_word() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(LONGEST_WINDOW_MS, *sentence("one two three")))
    assert turn.cut_ms(0, LONGEST_WINDOW_MS) == 500 + 2 * 300 - CUT_LEAD_MS


def test_the_longest_window_without_final_words_keeps_its_end() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.receive(decode(LONGEST_WINDOW_MS, *sentence("one two three")))
    assert turn.cut_ms(0, LONGEST_WINDOW_MS) == LONGEST_WINDOW_MS - KEPT_WINDOW_MS


def test_a_cut_never_lies_inside_the_word_before_it() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(LONG_WINDOW_MS, word("One.", 500, 1000), word("two", 960, 1200)))
    assert turn.cut_ms(0, LONG_WINDOW_MS) == 950  # where the attention of "One." ends


def test_words_left_behind_stay_in_both_texts() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(LONG_WINDOW_MS, *sentence("One. Two. three")))
    turn.settle(1040)
    turn.flush(decode(14_000, *sentence("three four.", 1100), window_ms=1040))
    assert texts(turn) == ("One. Two. three four.", "One. Two. three four.")


def test_a_turn_that_ends_after_its_window_was_closed_doubles_no_word() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(2000, *sentence("book a table.")))
    turn.settle(3500)
    turn.flush()
    assert texts(turn) == ("book a table.", "book a table.")


def test_tentative_words_are_made_final_when_their_audio_goes() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.receive(decode(LONGEST_WINDOW_MS, *sentence("one two three", step_ms=6000)))
    turn.settle(LONGEST_WINDOW_MS - KEPT_WINDOW_MS)
    assert [w.text for w in turn.hypothesis.final_words] == ["one", "two"]


def test_where_no_word_is_final_the_best_reading_is_shown_whatever_it_was_before() -> None:
    turn = TurnWords(ScoredAgreement(), Finality.TURN)
    turn.flush(decode(2000, *sentence("In sure")))
    turn.receive(decode(3000, *sentence("In short, yes.")))
    assert [w.text for w in turn.hypothesis.words] == ["In", "short,", "yes."]
    assert turn.hypothesis.final_count == 0
    assert texts(turn) == ("In short, yes.", "In short, yes.")


def test_where_no_word_is_final_a_doubted_one_is_held_back_too() -> None:
    turn = TurnWords(ScoredAgreement(), Finality.TURN)
    turn.receive(decode(1200, word("book", 500), word("a", 1000, 1200, -0.6)))
    assert [w.text for w in turn.hypothesis.words] == ["book"]
    turn.hear_out(decode(1200, word("book", 500), word("a", 1000, 1200, -0.6)))
    assert [w.text for w in turn.hypothesis.words] == ["book", "a"]


def test_where_no_word_is_final_words_left_behind_stay_in_what_is_shown() -> None:
    turn = TurnWords(ScoredAgreement(), Finality.TURN)
    turn.flush(decode(LONG_WINDOW_MS, *sentence("One. Two. three")))
    turn.settle(1040)
    turn.receive(decode(14_000, *sentence("three four.", 1100), window_ms=1040))
    assert [w.text for w in turn.hypothesis.words] == ["One.", "Two.", "three", "four."]
    assert texts(turn)[0] == "One. Two. three four."


def test_a_new_turn_starts_empty() -> None:
    turn = TurnWords(ScoredAgreement())
    turn.flush(decode(2000, *sentence("one two")))
    turn.reset()
    assert turn.hypothesis.words == ()
    assert turn.words == ()
    assert texts(turn) == ("", "")


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 300), st.floats(-9, 0)), max_size=12))
def test_spoken_words_have_times_in_order_and_a_confidence(pieces: list[tuple[int, int, float]]) -> None:
    turn = TurnWords(ScoredAgreement())
    start_ms, words = 0, []
    for gap_ms, length_ms, log_prob in pieces:
        start_ms += gap_ms
        words.append(word("w", start_ms, start_ms + length_ms, log_prob))
    turn.flush(decode(20_000, *words))
    spoken = turn.text(FormattedSource.FULL_DECODE).formatted_words
    assert all(w.start_ms <= w.end_ms and 0 < w.confidence <= 1 for w in spoken)
    assert [w.start_ms for w in spoken] == sorted(w.start_ms for w in spoken)
    assert [w.end_ms for w in spoken] == sorted(w.end_ms for w in spoken)
