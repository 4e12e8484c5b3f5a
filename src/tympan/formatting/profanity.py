"""Profane words masked: first letter, then asterisks. PURE: standard library only.

The list is short and our own: English words that are profane in nearly every use. Stems are matched with
their usual endings, the others as they stand. Words with a common innocent meaning (`cock`, `prick`,
`hell`) are left alone. It is a courtesy, not moderation. A word is masked wherever it stands alone or
between hyphens; a suffix after an apostrophe and the punctuation around it are kept (`F***'s!`).
"""

from __future__ import annotations

import re

_STEMS = (
    "fuck motherfuck clusterfuck shit bullshit horseshit dipshit batshit bitch cunt wank jerkoff jackoff "
    "piss goddamn whore slut twat"
)
_STEM_ENDINGS = ("", "s", "es", "ed", "er", "ers", "in", "ing", "y", "ty", "ted", "ting", "head", "heads")
_WHOLE_WORDS = (
    "ass asses asshole assholes arse arses arsehole arseholes jackass jackasses dumbass dumbasses badass "
    "bastard bastards bollocks bugger buggers cocksucker cocksuckers crap crappy dickhead dickheads "
    "douchebag douchebags faggot faggots fuckup fuckups fuckwit fuckwits nigga niggas nigger niggers "
    "shithole shitholes shitshow titties tosser tossers"
)
_PROFANE = frozenset(stem + ending for stem in _STEMS.split() for ending in _STEM_ENDINGS) | frozenset(
    _WHOLE_WORDS.split()
)
_LETTERS = re.compile(r"[^\W\d_]+")


def mask_text(text: str) -> str:
    """The word, its profane parts masked. Idempotent; the length stays."""
    return _LETTERS.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    letters = match.group()
    return letters[0] + "*" * (len(letters) - 1) if letters.lower() in _PROFANE else letters
