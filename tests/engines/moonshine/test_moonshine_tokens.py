from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.errors import ModelError
from tympan.engines.moonshine.tokens import TERMINAL_TOKENS, Vocabulary, key_of

MARK = "\u2581"
PIECES = ["", "", "", f"{MARK}Hello", ",", f"{MARK}wor", "ld", ".", f"{MARK}-", f"{MARK}it", "'s", f'{MARK}"']
SMALL = Vocabulary([piece.encode() for piece in PIECES])


def tokens_of(*pieces: str) -> list[int]:
    return [PIECES.index(piece) for piece in pieces]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Hello,", "hello"),
        ("it\u2019s", "it's"),
        ("'tis", "tis"),
        ("twenty-one", "twentyone"),
        ("\u266a", ""),
        ("CAF\u00c9!", "caf\u00e9"),
    ],
)
def test_keys_hold_letters_digits_and_inner_apostrophes_only(text: str, key: str) -> None:
    assert key_of(text) == key


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    assert key_of(key_of(text)) == key_of(text)


def test_words_take_the_punctuation_that_follows_them() -> None:
    spans = SMALL.spans(tokens_of(f"{MARK}Hello", ",", f"{MARK}wor", "ld", "."))
    assert [(span.text, span.is_closed) for span in spans] == [("Hello,", True), ("world.", True)]
    assert [(span.core_first, span.core_end) for span in spans] == [(0, 1), (2, 4)]


def test_an_apostrophe_is_part_of_its_word() -> None:
    (span,) = SMALL.spans(tokens_of(f"{MARK}it", "'s"))
    assert (span.text, span.is_closed) == ("it's", False)


def test_a_free_standing_dash_joins_the_word_before_it() -> None:
    spans = SMALL.spans(tokens_of(f"{MARK}Hello", f"{MARK}-", f"{MARK}it"))
    assert [span.text for span in spans] == ["Hello -", "it"]
    assert spans[0].is_closed


def test_punctuation_before_the_first_word_joins_it() -> None:
    (span,) = SMALL.spans(tokens_of(f'{MARK}"', f"{MARK}Hello"))
    assert (span.text, span.core_first) == ('" Hello', 1)


def test_a_text_of_punctuation_alone_has_no_words() -> None:
    assert SMALL.spans(tokens_of(f"{MARK}-", ".")) == []


@given(st.lists(st.integers(3, len(PIECES) - 1)))
def test_words_cover_all_tokens_in_order_and_have_keys(tokens: list[int]) -> None:
    spans = SMALL.spans(tokens)
    if spans:
        assert [spans[0].first, *(span.end for span in spans)] == [
            *(span.first for span in spans),
            len(tokens),
        ]
    assert all(key_of(span.text) for span in spans)


def test_closing_punctuation_is_taken_off_the_end_of_a_text() -> None:
    tokens = tokens_of(f"{MARK}Hello", ",", f"{MARK}wor", "ld", ".", ".")
    assert SMALL.without_closing(tokens) == 4


@given(st.lists(st.binary(max_size=300).filter(lambda piece: len(piece) != 0), max_size=20))
def test_a_written_vocabulary_reads_back(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.bin"
    path.write_bytes(b"".join(_length(len(piece)) + piece for piece in [b"", b"", b"", *pieces]))
    vocabulary = Vocabulary.read(path)
    assert [vocabulary.piece(i + 3) for i in range(len(pieces))] == pieces


def _length(count: int) -> bytes:
    return bytes([count]) if count < 128 else bytes([128 + count % 128, count // 128])


def test_a_vocabulary_that_ends_inside_a_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.bin").write_bytes(b"\x05ab")
    with pytest.raises(ModelError, match="token 0 ends beyond the file"):
        Vocabulary.read(tmp_path / "tokenizer.bin")


def test_the_models_terminal_tokens_spell_full_stop_question_and_exclamation_mark(
    vocabulary: Vocabulary,
) -> None:
    assert len(vocabulary) == 32768
    assert [vocabulary.piece(token) for token in TERMINAL_TOKENS] == [b".", b".", b"?", b"?", b"!", b"!"]


def test_marks_and_placeholders_spell_nothing(vocabulary: Vocabulary) -> None:
    assert vocabulary.text([1, 2, 32767]) == ""
