"""The model's vocabulary: ids to bytes to words.

A word begins at a token whose text begins with the word mark; punctuation that follows belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tympan.core.errors import ModelError

START_OF_TEXT = 1
END_OF_TEXT = 2

TERMINAL_TOKENS = (49, 29889, 66, 29973, 36, 29991)
"""The full stop, question and exclamation mark: each has one token as a byte and one as a piece."""
WATCHED_TOKENS = (*TERMINAL_TOKENS, END_OF_TEXT)
"""Tokens whose log-probs every decoder row reports: what tells whether a turn is over."""

_WORD_MARK = "\u2581".encode()
_FIRST_TEXT_TOKEN = 3
_PLACEHOLDER = re.compile(rb"<<ST_\d+>>")
_LONG_LENGTH = 128


def key_of(text: str) -> str:
    """What words are compared by: lower case, letters, digits and inner apostrophes only."""
    plain = "".join(c for c in text.lower().replace("\u2019", "'") if c.isalnum() or c == "'")
    return plain.strip("'")


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """A word of a token sequence: `tokens[first:end]`, of which `[core_first:core_end]` without punctuation.

    `text` has punctuation and no surrounding space. `is_closed` says that punctuation follows the word.
    """

    text: str
    first: int
    core_first: int
    core_end: int
    end: int

    @property
    def is_closed(self) -> bool:
        return self.core_end < self.end


class Vocabulary:
    """Ids and their bytes."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = tuple(
            b"" if i < _FIRST_TEXT_TOKEN or _PLACEHOLDER.fullmatch(piece) else piece for i, piece in enumerate(pieces)
        )

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Read `tokenizer.bin`: each token is a length and its bytes, in the order of ids.

        A length of 128 or more takes two bytes: low seven bits first, then the rest.

        Raises:
            ModelError: the file can't be read, or ends inside a token.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"can't read the vocabulary {path}: {error.strerror}") from error
        pieces: list[bytes] = []
        at = 0
        while at < len(content):
            length = content[at]
            at += 1
            if length >= _LONG_LENGTH and at < len(content):
                length = content[at] * _LONG_LENGTH + length - _LONG_LENGTH
                at += 1
            if at + length > len(content):
                raise ModelError(f"the vocabulary {path} is damaged: token {len(pieces)} ends beyond the file")
            pieces.append(content[at : at + length])
            at += length
        return cls(pieces)

    def __len__(self) -> int:
        return len(self._pieces)

    def piece(self, token: int) -> bytes:
        """A token's bytes; empty for marks such as end of text."""
        return self._pieces[token]

    def text(self, tokens: Sequence[int]) -> str:
        """What the tokens spell, without surrounding space."""
        joined = b"".join(self._pieces[token] for token in tokens)
        return joined.replace(_WORD_MARK, b" ").decode("utf-8", "replace").strip()

    def without_closing(self, tokens: Sequence[int]) -> int:
        """How many leading tokens are left when punctuation at the end is taken off."""
        count = len(tokens)
        while count and not self._is_core(tokens[count - 1]):
            count -= 1
        return count

    def spans(self, tokens: Sequence[int]) -> list[TokenSpan]:
        """The words of a text. Together they cover all tokens; none has an empty key.

        Free-standing punctuation joins the word before it; before the first word, the first word. A text
        without any word gives none.
        """
        starts = [i for i, token in enumerate(tokens) if i == 0 or self._pieces[token].startswith(_WORD_MARK)]
        groups: list[tuple[int, int]] = []
        has_word = False
        for start, end in pairwise([*starts, len(tokens)]):
            is_word = bool(key_of(self.text(tokens[start:end])))
            if groups and not (has_word and is_word):
                groups[-1] = (groups[-1][0], end)
            else:
                groups.append((start, end))
            has_word = has_word or is_word
        return [self._span(tokens, start, end) for start, end in groups] if has_word else []

    def _span(self, tokens: Sequence[int], first: int, end: int) -> TokenSpan:
        core = [i for i in range(first, end) if self._is_core(tokens[i])]
        return TokenSpan(
            text=self.text(tokens[first:end]), first=first, core_first=core[0], core_end=core[-1] + 1, end=end
        )

    def _is_core(self, token: int) -> bool:
        """Whether a token is more than punctuation. Part of a longer character counts as a letter."""
        piece = self._pieces[token].replace(_WORD_MARK, b"")
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError:
            return True
        return text.startswith("'") or any(c.isalnum() for c in text)
