"""The score's trade between waiting and cutting pauses, on looks measured in three recorded conversations.

`turn_looks.csv` holds one row a look: 121 ends of turns and 65 pauses inside turns (43 of them hesitations
put in by hand) of 0.3 s or more, with what Moonshine tiny-en and Smart Turn v3.2 said after 200, 300,
400 and 600 ms of silence. `lag_ms` is how much after the true end of speech the silence was noticed.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import pytest

from tympan.engines.turn_score import LogisticScore, TurnFeatures

DEFAULT_THRESHOLD = 0.4


@dataclass(frozen=True, slots=True)
class Pause:
    is_end: bool
    pause_ms: int
    lag_ms: int
    looks: dict[int, TurnFeatures]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Share of inner pauses that ended the turn; wait after the true end of a turn."""

    cut: float
    median_ms: float
    mean_ms: float


def read_pauses(*, with_smart_turn: bool) -> list[Pause]:
    pauses: dict[str, Pause] = {}
    with (Path(__file__).parent / "turn_looks.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            pause = pauses.setdefault(
                row["pause"], Pause(row["kind"] == "end", int(row["pause_ms"]), int(row["lag_ms"]), {})
            )
            pause.looks[int(row["look_ms"])] = TurnFeatures(
                word_count=int(row["word_count"]),
                last_word_key=row["last_word_key"],
                last_word_log_prob=float(row["last_word_log_prob"]),
                p_end=float(row["p_end"]),
                smart_turn=float(row["smart_turn"]) if with_smart_turn else None,
            )
    return list(pauses.values())


def decide(pauses: Sequence[Pause], looks_ms: Sequence[int], threshold: float, max_silence_ms: int) -> Outcome:
    score = LogisticScore()
    cut: list[bool] = []
    waits_ms: list[int] = []
    for pause in pauses:
        confident = [
            look for look in looks_ms if look in pause.looks and score.confidence(pause.looks[look]) > threshold
        ]
        ended_ms = min([*confident, max_silence_ms])
        if pause.is_end:
            waits_ms.append(ended_ms + pause.lag_ms)
        else:
            cut.append(ended_ms <= pause.pause_ms)
    return Outcome(fmean(cut), median(waits_ms), fmean(waits_ms))


def timeout(pauses: Sequence[Pause], silence_ms: int) -> Outcome:
    return decide(pauses, (), 1.0, silence_ms)


@pytest.mark.parametrize("with_smart_turn", [False, True])
def test_the_defaults_cut_few_pauses_within_half_a_second(*, with_smart_turn: bool) -> None:
    outcome = decide(read_pauses(with_smart_turn=with_smart_turn), (400, 600), DEFAULT_THRESHOLD, 1280)
    assert outcome.cut < 0.175
    assert outcome.median_ms < 500


@pytest.mark.parametrize(
    ("silence_ms", "looks_ms", "threshold", "max_silence_ms"),
    [
        (400, (300, 600), 0.35, 900),
        (500, (400, 600), 0.40, 1280),
        (600, (400, 600), 0.60, 900),
        (700, (400, 600), 0.70, 900),
        (800, (400, 600), 0.70, 900),
    ],
)
def test_the_score_cuts_far_fewer_pauses_than_a_timeout_that_waits_as_long(
    silence_ms: int, looks_ms: tuple[int, ...], threshold: float, max_silence_ms: int
) -> None:
    pauses = read_pauses(with_smart_turn=False)
    fixed = timeout(pauses, silence_ms)
    scored = decide(pauses, looks_ms, threshold, max_silence_ms)
    assert scored.mean_ms <= fixed.mean_ms
    assert scored.median_ms <= fixed.median_ms
    assert scored.cut < fixed.cut / 2


def test_the_second_model_makes_an_early_look_worth_while() -> None:
    pauses = read_pauses(with_smart_turn=True)
    early = decide(pauses, (200, 300, 600), DEFAULT_THRESHOLD, 1280)
    alone = decide(read_pauses(with_smart_turn=False), (400, 600), DEFAULT_THRESHOLD, 1280)
    assert early.cut <= alone.cut
    assert early.median_ms < alone.median_ms - 150
    assert early.mean_ms < alone.mean_ms - 100
