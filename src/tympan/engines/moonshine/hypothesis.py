"""One decode of a window as words with what the commit policy needs to know. PURE: standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecodedWord:
    """A word of one decode. All times are ms since the first sample of the session.

    `text` is as the model writes it, with attached punctuation; `key` is what words are compared by:
    lower case, letters, digits and inner apostrophes only, never empty. `start_ms` and `end_ms` are the
    best estimate of the word's bounds; `attended_ms` is where the attention of its last token peaks.
    `log_prob` is the lowest of its tokens (natural log), `margin` the lowest distance between the best
    and the second-best token's log-prob. `is_closed` says that punctuation follows it.
    `tokens` are all its tokens, punctuation included: the draft of the next decode.
    """

    text: str
    key: str
    start_ms: int
    attended_ms: int
    end_ms: int
    log_prob: float
    margin: float
    is_closed: bool
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Decode:
    """The model's best text for the audio from `window_start_ms` to `judged_until_ms`.

    `has_ended`: the model wrote end-of-text (false when the token cap or the loop guard stopped it).
    `was_cut`: an invented tail was dropped, so the last word may be incomplete.
    """

    window_start_ms: int
    judged_until_ms: int
    words: tuple[DecodedWord, ...]
    has_ended: bool
    was_cut: bool
