"""The recorded speech itself, where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bench.dataset import Dataset, load
from bench.turn_metrics import judge_turns
from logs import conversation, says

DATA = Path(os.environ.get("TYMPAN_DATA", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the recorded speech isn't here"),
]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(DATA)


def test_the_data_set_is_whole(dataset: Dataset) -> None:
    assert len(dataset.utterances) == 327
    assert len(dataset.aligned) == 317
    assert (len(dataset.recordings), len(dataset.noises)) == (3, 9)
    assert all(utterance.path.exists() for utterance in dataset.utterances)


def test_an_oracle_finds_every_turn_and_cuts_nothing(dataset: Dataset) -> None:
    for recording in dataset.recordings:
        ends = [says(t.end_ms + 200, "x", turn=i, ends=True) for i, t in enumerate(recording.turns)]
        outcome = judge_turns(conversation(*ends), recording.turns)
        assert outcome.latencies_ms == (200,) * outcome.turns
        assert outcome.turns == sum(turn.ends_sentence for turn in recording.turns)
        assert (outcome.cuts, outcome.long_pause_cuts, outcome.word_gap_cuts) == (0, 0, 0)


def test_an_end_in_the_middle_of_every_hesitation_cuts_them_all(dataset: Dataset) -> None:
    for recording in dataset.recordings:
        middles = [(p.start_ms + p.end_ms) / 2 for turn in recording.turns for p in turn.pauses if p.is_hesitation]
        ends = [says(at, "x", turn=i, ends=True) for i, at in enumerate(middles)]
        outcome = judge_turns(conversation(*ends), recording.turns)
        assert outcome.hesitation_cuts == outcome.hesitations > 0
