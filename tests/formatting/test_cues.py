"""Words become subtitles that can be read: the rules by example, and what must hold for any words."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.formatting.cues import LINE_CHARS, LINGER_MS, MAX_CUE_MS, Cue, CueBuilder


def spoken(text: str, *, start_ms: int = 0, word_ms: int = 300, pauses_ms: dict[str, int] | None = None) -> list[Word]:
    """The words of a text, one after the other, with silences after the words named."""
    words = []
    for word in text.split():
        words.append(Word(word, StreamMs(start_ms), StreamMs(start_ms + word_ms), 0.9))
        start_ms += word_ms + (pauses_ms or {}).get(word, 0)
    return words


def cues_of(words: list[Word], next_start_ms: int | None = None) -> list[Cue]:
    return CueBuilder().receive_turn(words, None if next_start_ms is None else StreamMs(next_start_ms))


def shown(words: list[Word]) -> list[str]:
    return ["|".join(cue.lines) for cue in cues_of(words)]


def test_a_short_turn_is_one_line() -> None:
    assert shown(spoken("Book a table for two, please.")) == ["Book a table for two, please."]


def test_a_longer_sentence_is_two_lines_that_break_at_its_clause() -> None:
    text = "When the rain had stopped at last, they walked home by the river."
    assert shown(spoken(text, word_ms=200)) == ["When the rain had stopped at last,|they walked home by the river."]


def test_cues_break_between_sentences() -> None:
    text = (
        "It was the best of times and it was also the worst of times. "
        "Nobody who had lived through it wanted to say which it was."
    )
    assert [cue.replace("|", " ") for cue in shown(spoken(text, word_ms=200))] == [
        "It was the best of times and it was also the worst of times.",
        "Nobody who had lived through it wanted to say which it was.",
    ]


def test_short_sentences_may_share_a_cue() -> None:
    assert shown(spoken("Yes. I do.")) == ["Yes. I do."]


def test_a_long_silence_ends_a_cue() -> None:
    assert shown(spoken("well that is all", pauses_ms={"well": 1_501})) == ["well", "that is all"]


def test_no_line_ends_with_an_article_where_it_need_not() -> None:
    lines = shown(spoken("we saw the enormous old lighthouse near the harbour and climbed it", word_ms=200))[0].split(
        "|"
    )
    assert lines == ["we saw the enormous old lighthouse", "near the harbour and climbed it"]


def test_an_abbreviated_title_ends_no_sentence() -> None:
    text = "yesterday evening we met the famous Dr. Livingstone, I suppose"
    assert not shown(spoken(text, word_ms=200))[0].split("|")[0].endswith("Dr.")


def test_a_word_longer_than_a_line_has_a_cue_to_itself() -> None:
    long = "a" * 60
    assert shown(spoken(f"so {long} it is")) == ["so", long, "it is"]


def test_a_short_cue_stays_to_be_read_until_the_next_turn_begins() -> None:
    assert cues_of(spoken("Yes.", word_ms=200), next_start_ms=5_000)[0].end_ms == 1_000
    assert cues_of(spoken("Yes.", word_ms=200), next_start_ms=700)[0].end_ms == 700


def test_while_nobody_knows_what_follows_a_cue_lingers_only_a_little() -> None:
    assert cues_of(spoken("Yes.", word_ms=200))[0].end_ms == 200 + LINGER_MS


def test_fast_speech_stays_for_as_long_as_reading_takes() -> None:
    words = spoken("and forty characters were said in no time", word_ms=50)
    assert (
        cues_of(words, next_start_ms=60_000)[0].end_ms == len("and forty characters were said in no time") * 1000 // 17
    )


def test_a_turn_that_begins_while_the_last_cue_lingers_waits_for_its_end() -> None:
    builder = CueBuilder()
    (first,) = builder.receive_turn(spoken("Yes.", word_ms=200))
    (second,) = builder.receive_turn(spoken("No.", start_ms=400))
    assert second.start_ms == first.end_ms == 700


def test_words_without_text_are_no_cue() -> None:
    assert cues_of([Word(" ", StreamMs(0), StreamMs(10), 1.0)]) == []
    assert cues_of([]) == []


texts = st.text(st.sampled_from("aBc,.?!…'\" -"), min_size=1, max_size=50).filter(str.strip)
times = st.integers(0, 40_000)


@st.composite
def any_words(draw: st.DrawFn) -> list[Word]:
    """Words in the order of their starts, of any text and any length, overlapping or not."""
    starts = sorted(draw(st.lists(times, max_size=40)))
    return [Word(draw(texts), StreamMs(start), StreamMs(start + draw(st.integers(0, 8_000))), 0.5) for start in starts]


@given(st.lists(any_words(), max_size=3))
def test_any_words_are_all_kept_in_order_in_cues_that_never_overlap(turns: list[list[Word]]) -> None:
    builder = CueBuilder()
    cues = [cue for words in turns for cue in builder.receive_turn(words)]

    kept = " ".join(line for cue in cues for line in cue.lines).split()
    assert kept == [piece for words in turns for word in words for piece in word.text.split()]
    assert all(cue.start_ms < cue.end_ms for cue in cues)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(cues))


@given(any_words())
def test_any_cue_has_at_most_two_lines_that_fit(words: list[Word]) -> None:
    longest = {" ".join(word.text.split()) for word in words}
    for cue in cues_of(words):
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= LINE_CHARS or line in longest for line in cue.lines)


@given(st.lists(st.tuples(texts, st.integers(1, 900), st.integers(0, 3_000)), min_size=1, max_size=40))
def test_ordinary_speech_is_shown_when_it_is_said_and_no_longer_than_allowed(
    spans: list[tuple[str, int, int]],
) -> None:
    words, now_ms = [], 0
    for text, word_ms, pause_ms in spans:
        words.append(Word(text, StreamMs(now_ms), StreamMs(now_ms + word_ms), 0.5))
        now_ms += word_ms + pause_ms
    starts = {word.start_ms for word in words}
    for cue in cues_of(words):
        assert cue.start_ms in starts
        assert cue.end_ms - cue.start_ms <= MAX_CUE_MS
