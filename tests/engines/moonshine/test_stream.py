"""One session's stream over recorded speech: long turns, long pauses, no partials, forced ends."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tympan.core.config import Finality, SessionConfig, TurnConfig
from tympan.core.effects import Control, Finish, ForceEndpoint
from tympan.core.events import TurnEnded, TurnUpdated
from tympan.core.words import Word
from tympan.engines.base import Samples, StreamOptions
from tympan.engines.moonshine.encoder import Encoded, Encoder
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.stream import MoonshineStream, Parts
from tympan.engines.moonshine.turn_words import LONGEST_WINDOW_MS
from tympan.engines.moonshine.weights import FloatArray
from tympan.engines.silero import SileroModel
from tympan.engines.turn_score import LogisticScore
from tympan.runtime.listener import Listener, stream_options

PATIENT = SessionConfig(turn=TurnConfig(confidence_threshold=1.0, max_silence_ms=60_000))
"""No silence in these recordings ends a turn."""
WHOLE_TURNS = SessionConfig(turn=replace(PATIENT.turn, finality=Finality.TURN))


@pytest.fixture(scope="module")
def parts(fast_model: MoonshineModel) -> Parts:
    return Parts(fast_model, SileroModel(), LogisticScore())


def turns(
    parts: Parts, items: list[Samples | Control], config: SessionConfig, options: StreamOptions | None = None
) -> list[TurnEnded]:
    listener = Listener(MoonshineStream(parts, options or StreamOptions()), config)
    for item in items:
        if isinstance(item, np.ndarray):
            listener.feed(item.tobytes())
        else:
            listener.mark(item)
    listener.mark(Finish())
    heard = []
    while (said := listener.advance()) is not None:
        heard += [event for event in said.events if isinstance(event, TurnEnded)]
    return heard


def text(turn: TurnEnded) -> str:
    return " ".join(word.text for word in turn.formatted_words).lower()


def silence(seconds: float) -> Samples:
    return np.zeros(int(16_000 * seconds), np.int16)


def test_a_turn_longer_than_any_window_loses_nothing(parts: Parts, whole_reading: Samples) -> None:
    (turn,) = turns(parts, [whole_reading], PATIENT)
    assert turn.words[-1].end_ms - turn.words[0].start_ms > 2 * LONGEST_WINDOW_MS
    for phrase in ("best of times", "epoch of belief", "spring of hope", "everything before us", "comparison only"):
        assert phrase in text(turn)
    starts = [word.start_ms for word in turn.words]
    assert starts == sorted(starts)
    assert len(turn.words) > 100


def test_a_long_pause_inside_a_turn_keeps_both_sides_of_it(parts: Parts, beckett: Samples) -> None:
    (once,) = turns(parts, [beckett], PATIENT)
    (twice,) = turns(parts, [beckett, silence(4), beckett], PATIENT)
    assert len(twice.words) >= 2 * len(once.words) - 2
    second = twice.words[len(twice.words) // 2 + 1 :]
    assert all(word.start_ms > len(beckett) / 16 for word in second)


def test_a_long_pause_after_a_forced_look_is_flushed_too(parts: Parts, beckett: Samples) -> None:
    stream = MoonshineStream(parts, StreamOptions())
    stream.accept(beckett)
    stream.accept(silence(3))
    while stream.step() is not None:
        pass  # nobody looks, yet what was said before the pause isn't lost with the window
    (once,) = turns(parts, [beckett], PATIENT)
    assert abs(len(stream.end_turn().words) - len(once.words)) <= 2


def test_without_partials_the_words_of_a_turn_are_as_many(parts: Parts, two_cities: Samples) -> None:
    (quiet,) = turns(parts, [two_cities], PATIENT, StreamOptions(wants_partials=False))
    (shown,) = turns(parts, [two_cities], PATIENT)
    assert abs(len(quiet.formatted_words) - len(shown.formatted_words)) < 10


def test_an_end_forced_in_mid_speech_splits_the_words_and_doubles_none(parts: Parts, two_cities: Samples) -> None:
    half = 16_000 * 6
    first, *rest = turns(parts, [two_cities[:half], ForceEndpoint(), two_cities[half : 2 * half]], PATIENT)
    assert "best of times" in text(first)
    assert all(word.start_ms >= first.words[-1].start_ms for turn in rest for word in turn.words)
    assert text(rest[0]).count("best of times") == 0


class TalliedEncoder(Encoder):
    """The encoder itself, and how often it was used."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.count = 0

    def encode(self, features: FloatArray) -> Encoded:
        self.count += 1
        return self._encoder.encode(features)


def in_the_first_pause(parts: Parts, finality: Finality, audio: Samples) -> MoonshineStream:
    """A stream in a hurry, 128 ms after somebody has spoken."""
    stream = MoonshineStream(parts, StreamOptions(finality=finality))
    stream.hear_out()
    stream.accept(audio)
    assert any(report.silence_ms == 128 for report in iter(stream.step, None))
    return stream


@pytest.mark.parametrize("finality", Finality)
def test_shortly_after_the_speech_a_turn_is_heard_out_without_a_decode(
    parts: Parts, beckett: Samples, finality: Finality
) -> None:
    tally = TalliedEncoder(parts.model.encoder)
    stream = in_the_first_pause(replace(parts, model=replace(parts.model, encoder=tally)), finality, beckett)
    before = tally.count
    told = [word.text for word in stream.hear_out().hypothesis.words]
    final = [word.text for word in stream.end_turn().words]
    assert tally.count == before
    looking = in_the_first_pause(parts, finality, beckett)
    assert final == told == [word.text for word in looking.look().hypothesis.words]
    assert final


def test_where_no_word_is_final_a_long_turn_loses_nothing_and_is_told_every_three_seconds(
    parts: Parts, whole_reading: Samples
) -> None:
    listener = Listener(MoonshineStream(parts, stream_options(WHOLE_TURNS)), WHOLE_TURNS)
    listener.feed(whole_reading.tobytes())
    listener.mark(Finish())
    partials: list[tuple[int, TurnUpdated]] = []
    ended: list[TurnEnded] = []
    while (said := listener.advance()) is not None:
        partials += [(said.judged_until_ms, event) for event in said.events if isinstance(event, TurnUpdated)]
        ended += [event for event in said.events if isinstance(event, TurnEnded)]
    (turn,) = ended
    for phrase in ("best of times", "epoch of belief", "spring of hope", "everything before us", "comparison only"):
        assert phrase in text(turn)
    assert turn.words == turn.formatted_words
    assert len(partials) > 10
    for (_, before), (_, after) in pairwise(partials):
        assert len(after.words) >= len(before.words) - 4, "each partial says the whole turn"


def first_word(parts: Parts, beckett: Samples, left_pad_ms: int) -> Word:
    """Of a voice that is detected too late."""
    stream = MoonshineStream(parts, StreamOptions(vad_threshold=0.99, left_pad_ms=left_pad_ms, finality=Finality.TURN))
    stream.accept(np.concatenate([silence(3), beckett[:32_000]]))
    while stream.step() is not None:
        pass
    return stream.look().hypothesis.words[0]


def test_the_recogniser_hears_as_much_before_the_voice_as_the_session_asks_for(parts: Parts, beckett: Samples) -> None:
    heard = {left_pad_ms: first_word(parts, beckett, left_pad_ms) for left_pad_ms in (0, 320, 2000)}
    assert heard[0].text != "Ever"
    assert heard[320].text == heard[2000].text == "Ever"
    assert heard[2000].start_ms > 3000


def test_a_pad_may_change_between_turns(parts: Parts, beckett: Samples) -> None:
    stream = MoonshineStream(parts, StreamOptions(left_pad_ms=0))
    stream.configure(StreamOptions(vad_threshold=0.99, left_pad_ms=320))
    stream.accept(np.concatenate([silence(3), beckett[:32_000]]))
    while stream.step() is not None:
        pass
    assert stream.look().hypothesis.words[0].text == "Ever"


@pytest.mark.parametrize("config", [PATIENT, WHOLE_TURNS])
def test_a_turn_that_is_forced_to_end_in_mid_word_is_not_made_up_to_its_end(
    parts: Parts, two_cities: Samples, config: SessionConfig
) -> None:
    first, *_ = turns(parts, [two_cities[: 16 * 7000], ForceEndpoint()], config, stream_options(config))
    assert text(first).count("it was the age") == 1
