"""How sure a look is that the turn is over. PURE: standard library only.

A look happens in silence (`core.endpoint` says when). The recognizer measures `TurnFeatures`; a score
turns them into the end-of-turn confidence (0 to 1) that clients compare with their threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

SMART_TURN_SILENCE_MS = 200
"""When the second model is asked, once a pause: it knows less the longer the silence lasts."""


@dataclass(frozen=True, slots=True)
class TurnFeatures:
    """What a look knows of the open turn.

    `p_end` is the decoder's probability of `.`, `?`, `!` or end of text after the last word, the text's own
    trailing punctuation stripped. `last_word_key` is the last word in lower case without punctuation,
    `last_word_log_prob` the lowest of its tokens (natural log). `smart_turn` is the probability from the
    optional second model, None without it.
    """

    word_count: int
    last_word_key: str
    last_word_log_prob: float
    p_end: float
    smart_turn: float | None = None


class EndOfTurnScore(Protocol):
    """Weighs what a look knows."""

    def confidence(self, features: TurnFeatures) -> float:
        """Confidence (0 to 1) that the turn is over; 0 while there are no words."""


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """One row of a logistic score: weights of the log-odds of both probabilities and of the last word."""

    p_end: float
    smart_turn: float
    function_word: float
    last_word_log_prob: float
    bias: float


# Logistic regression, classes balanced, on 157 ends and 397 inner pauses made from recordings that are in
# no conversation that the score is judged by; silences of 300, 400 and 600 ms pooled. The protocol's default
# threshold of 0.4 is the balanced probability 0.40 without the second model, and with it 0.45 (its bias is
# 0.20 lower than fitted): there each ends a turn in about one of six inner pauses.
WITHOUT_SMART_TURN = ScoreWeights(p_end=0.66, smart_turn=0.0, function_word=-1.50, last_word_log_prob=0.52, bias=-1.47)
WITH_SMART_TURN = ScoreWeights(p_end=0.51, smart_turn=0.35, function_word=-1.03, last_word_log_prob=0.40, bias=-1.67)

LOWEST_PROBABILITY = 1e-4
"""Log-odds are taken no further out than this, nor than its complement."""

LOWEST_LOG_PROB = -3.0
"""A word less sure than this is as unsure as any."""


@dataclass(frozen=True, slots=True)
class LogisticScore:
    """Two rows of weights: which one decides depends on whether the second model was asked."""

    without_smart_turn: ScoreWeights = WITHOUT_SMART_TURN
    with_smart_turn: ScoreWeights = WITH_SMART_TURN

    def confidence(self, features: TurnFeatures) -> float:
        if features.word_count == 0:
            return 0.0
        weights = self.without_smart_turn
        logit = 0.0
        if features.smart_turn is not None:
            weights = self.with_smart_turn
            logit += weights.smart_turn * _log_odds(features.smart_turn)
        logit += weights.bias + weights.p_end * _log_odds(features.p_end)
        logit += weights.last_word_log_prob * max(LOWEST_LOG_PROB, features.last_word_log_prob)
        if features.last_word_key in FUNCTION_WORDS:
            logit += weights.function_word
        return 1 / (1 + math.exp(-logit))


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, LOWEST_PROBABILITY), 1 - LOWEST_PROBABILITY)
    return math.log(clipped / (1 - clipped))


# Words that English rarely ends a sentence on; the weights were fitted with this very list.
_FUNCTION_WORDS = """
a an the this that these those my your his her its our their some any every each no
i you he she it we they me him them us
and or but so because if which who whom whose when while where as than then
to of in on at by for from with without into onto over under about between through during before after
up down out off
is are was were be been being am have has had do does did
will would can could shall should may might must not
there very just like such what how why
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
