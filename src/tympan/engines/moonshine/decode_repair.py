"""Repair of a decode before anybody reads it: invented tails. PURE: standard library only."""

from __future__ import annotations

from dataclasses import replace

from tympan.engines.moonshine.hypothesis import Decode

INVENTED_SPAN_MS = 130
"""Nobody starts three words in this time."""


def cut_invented_tail(decode: Decode) -> Decode:
    """Drop a run-away tail: from the first three words that start within 130 ms keep one, as incomplete.

    Such tails are rare in the last decode of a turn (2 of 319 recorded clips), which may go uncut.
    """
    words = decode.words
    for index in range(len(words) - 2):
        if words[index + 2].start_ms - words[index].start_ms < INVENTED_SPAN_MS:
            kept = (*words[:index], replace(words[index], is_closed=False))
            return replace(decode, words=kept, has_ended=False, was_cut=True)
    return decode
