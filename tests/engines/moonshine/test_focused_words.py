"""Voice focus with the real engine: the words and their times stay on the clock of the client's audio."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import numpy as np
import pytest

from tympan.core.config import FocusConfig, Microphone, SessionConfig
from tympan.core.effects import Control, Finish, ForceEndpoint
from tympan.core.events import EndReason, TurnEnded
from tympan.core.words import Word
from tympan.engines.base import Samples
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.stream import MoonshineStream, Parts
from tympan.engines.silero import FRAME_MS, SileroModel
from tympan.engines.turn_score import LogisticScore
from tympan.runtime.listener import Listener, stream_options

LONGEST_HELD_MS = 16
LONG_MS = 1_500
"""In mid-speech."""


@pytest.fixture(scope="module")
def parts(fast_model: MoonshineModel) -> Parts:
    return Parts(fast_model, SileroModel(), LogisticScore())


def turns(parts: Parts, items: list[Samples | Control], focus: FocusConfig | None) -> list[tuple[int, TurnEnded]]:
    """The turns, with the audio judged when they ended."""
    config = SessionConfig(focus=focus)
    listener = Listener(MoonshineStream(parts, stream_options(config)), config)
    for item in [*items, Finish()]:
        if isinstance(item, np.ndarray):
            listener.feed(item.tobytes())
        else:
            listener.mark(item)
    ended: list[tuple[int, TurnEnded]] = []
    while (said := listener.advance()) is not None:
        ended += [(said.judged_until_ms, event) for event in said.events if isinstance(event, TurnEnded)]
    return ended


def words(ended: list[tuple[int, TurnEnded]]) -> list[Word]:
    return [word for _, turn in ended for word in turn.formatted_words]


def letters(word: Word) -> str:
    return "".join(letter for letter in word.text.lower() if letter.isalpha())


def test_words_of_clean_speech_start_where_they_start_without_it(parts: Parts, two_cities: Samples) -> None:
    plain = words(turns(parts, [two_cities], None))
    focused = words(turns(parts, [two_cities], FocusConfig(Microphone.NEAR_FIELD, 1.0)))

    assert [letters(word) for word in focused] == [letters(word) for word in plain]
    shifts_ms = [after.start_ms - before.start_ms for before, after in zip(plain, focused, strict=True)]
    assert abs(median(shifts_ms)) <= 5, "none on the whole"
    assert median(map(abs, shifts_ms)) <= 20
    assert all(one.start_ms <= other.start_ms for one, other in pairwise(focused))


def test_a_forced_end_judges_all_but_what_is_held_back(parts: Parts, beckett: Samples) -> None:
    spoken = beckett[: 16 * LONG_MS]
    at_ms, turn = turns(parts, [spoken, ForceEndpoint()], FocusConfig(Microphone.NEAR_FIELD))[0]

    assert turn.reason is EndReason.FORCED
    assert LONG_MS - LONGEST_HELD_MS - FRAME_MS < at_ms <= LONG_MS
    assert letters(turn.formatted_words[0]) == "ever"


def test_the_audio_ends_where_the_clients_audio_ends(parts: Parts, beckett: Samples) -> None:
    cut_in_mid_frame = beckett[: 16 * LONG_MS + 77]
    settings = (None, FocusConfig(Microphone.FAR_FIELD, 1.0))
    plain_ms, focused_ms = (turns(parts, [cut_in_mid_frame], focus)[-1][0] for focus in settings)
    assert plain_ms == focused_ms
