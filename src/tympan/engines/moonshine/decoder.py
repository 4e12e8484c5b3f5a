"""Greedy decoding of one window, checked against a draft.

The draft is what the window's audio said last time. One forward over it shows how much of it still holds;
only what follows is decoded token by token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tympan.engines.moonshine.encoder import FRAME_SECONDS, Encoded, ort_value
from tympan.engines.moonshine.tokens import (
    END_OF_TEXT,
    START_OF_TEXT,
    TERMINAL_TOKENS,
    WATCHED_TOKENS,
    Vocabulary,
)
from tympan.engines.moonshine.weights import FloatArray

MAX_TOKENS = 1024
"""Most tokens in one decode."""

_TOKENS_PER_SECOND = 6.5
_SPARE_TOKENS = 3
"""Nobody speaks faster; a model that writes more is inventing."""

_LOOP_MIN_TOKENS = 12
_LOOP_REPEATS = {1: 6, 2: 3, 3: 3, 4: 3}
"""Length in tokens to repeats: in a longer text, so many are a loop. Numbers such as 90,000 repeat one token."""

_MASKED = np.float32(-1e9)

_TERMINALS = [WATCHED_TOKENS.index(token) for token in TERMINAL_TOKENS]
_END = WATCHED_TOKENS.index(END_OF_TEXT)


@dataclass(frozen=True, slots=True)
class EndScore:
    """Probabilities that the text goes on with `. ? !` or ends, after its last word without punctuation."""

    terminal: float
    end_of_text: float

    @property
    def probability(self) -> float:
        """That the turn is over, as far as the text tells; 0 to 1, not calibrated."""
        return min(1.0, self.terminal + self.end_of_text)


@dataclass(frozen=True, slots=True)
class Decoding:
    """The most probable text of a window, token by token, without the mark for end of text.

    `log_probs` are natural logs; `margins` the distances to the second-best token; `peaks` the encoder frames
    where attention peaks while a token is predicted. `has_ended` is false when the token limit or the loop
    guard stopped the decode. `accepted_count` tokens came from the draft.
    """

    tokens: tuple[int, ...]
    log_probs: tuple[float, ...]
    margins: tuple[float, ...]
    peaks: tuple[int, ...]
    has_ended: bool
    end_score: EndScore
    accepted_count: int


def token_limit(frame_count: int) -> int:
    """The most tokens that speech of that many encoder frames can hold."""
    return min(MAX_TOKENS - 1, int(frame_count * FRAME_SECONDS * _TOKENS_PER_SECOND) + _SPARE_TOKENS)


def is_looping(tokens: Sequence[int]) -> bool:
    """Whether the text ends in the same one to four tokens said again and again."""
    if len(tokens) < _LOOP_MIN_TOKENS:
        return False
    return any(
        list(tokens[-length * repeats :]) == list(tokens[-length:]) * repeats
        for length, repeats in _LOOP_REPEATS.items()
    )


class Decoder:
    """The decoder's graph; holds no state between calls."""

    def __init__(self, session: Any, vocabulary: Vocabulary) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._outputs = [output.name for output in session.get_outputs()]
        past = [value for value in session.get_inputs() if value.name.startswith("past_")]
        self._past_names = [value.name for value in past]
        _, self._head_count, _, self._head_size = past[0].shape

    def decode(self, encoded: Encoded, draft: Sequence[int], max_tokens: int | None) -> Decoding:
        """Greedy text of the window; the same with any draft, up to rounding."""
        limit = token_limit(encoded.frame_count) if max_tokens is None else max_tokens
        draft = list(draft[:limit])
        state = _State(self, encoded)
        rows = state.forward([START_OF_TEXT, *draft])
        accepted = 0
        while accepted < len(draft) and rows[accepted].token == draft[accepted]:
            accepted += 1
        rows = rows[: accepted + 1]
        state.cut(len(rows))
        tokens = [row.token for row in rows]
        while tokens[-1] != END_OF_TEXT and len(tokens) < limit and not is_looping(tokens):
            rows += state.forward(tokens[-1:])
            tokens.append(rows[-1].token)
        has_ended = tokens[-1] == END_OF_TEXT
        if has_ended:
            tokens.pop()
        else:
            # The row that tells what would have come next; it only serves the end score.
            rows += state.forward(tokens[-1:])
        written = rows[: len(tokens)]
        return Decoding(
            tokens=tuple(tokens),
            log_probs=tuple(row.log_prob for row in written),
            margins=tuple(row.margin for row in written),
            peaks=tuple(row.peak for row in written),
            has_ended=has_ended,
            end_score=_end_score(rows[self._vocabulary.without_closing(tokens)]),
            accepted_count=accepted,
        )

    def empty_past(self) -> dict[str, Any]:
        empty = ort_value(np.zeros((1, self._head_count, 0, self._head_size), np.float32))
        return dict.fromkeys(self._past_names, empty)

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        values = self._session.run_with_ort_values(self._outputs, inputs)
        return dict(zip(self._outputs, values, strict=True))


@dataclass(frozen=True, slots=True)
class _Row:
    """What one position of the decoder says about the next token."""

    token: int
    log_prob: float
    margin: float
    peak: int
    watched: FloatArray


class _State:
    """Keys and values of the tokens read so far, for one decode."""

    def __init__(self, decoder: Decoder, encoded: Encoded) -> None:
        self._decoder = decoder
        self._past = decoder.empty_past()
        self._length = 0
        self._cross = dict(encoded.cross)
        self._cross["cross_mask"] = ort_value(np.zeros((1, 1, 1, encoded.frame_count), np.float32))

    def forward(self, tokens: Sequence[int]) -> list[_Row]:
        """Read more tokens; one row for each, which predicts the token after it."""
        count, past = len(tokens), self._length
        inputs = {
            "tokens": ort_value(np.array([tokens], np.int64)),
            "positions": ort_value(np.arange(past, past + count, dtype=np.int64)[None]),
            "self_mask": ort_value(_causal_mask(count, past)),
            "rows": ort_value(np.arange(count, dtype=np.int64)),
        }
        outputs = self._decoder.run(inputs | self._past | self._cross)
        self._past = {name: outputs["present" + name.removeprefix("past")] for name in self._past}
        self._length += count
        best, log_probs = outputs["best"].numpy(), outputs["best_log_probs"].numpy()
        watched, peaks = outputs["watched_log_probs"].numpy(), outputs["peaks"].numpy()[0]
        return [
            _Row(
                token=int(best[i, 0]),
                log_prob=float(log_probs[i, 0]),
                margin=float(log_probs[i, 0] - log_probs[i, 1]),
                peak=int(peaks[i]),
                watched=watched[i],
            )
            for i in range(count)
        ]

    def cut(self, length: int) -> None:
        """Forget all tokens but the first `length`."""
        if length < self._length:
            self._past = {
                name: ort_value(np.ascontiguousarray(value.numpy()[:, :, :length]))
                for name, value in self._past.items()
            }
            self._length = length


def _causal_mask(count: int, past: int) -> NDArray[np.float32]:
    """Zero where a new token may look [1, 1, count, past + count], hugely negative ahead of it."""
    mask = np.zeros((1, 1, count, past + count), np.float32)
    mask[0, 0, :, past:] = np.triu(np.full((count, count), _MASKED), 1)
    return mask


def _end_score(row: _Row) -> EndScore:
    probabilities = [math.exp(float(value)) for value in row.watched]
    return EndScore(sum(probabilities[i] for i in _TERMINALS), probabilities[_END])
