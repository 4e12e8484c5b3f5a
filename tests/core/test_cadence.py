"""When an open turn is told: each rule at its boundary."""

from __future__ import annotations

import pytest

from tympan.core.cadence import CONFIRMING_SPEECH_MS, CONTINUOUS_MS, READ_AGAIN_MS, EveryChange, Moment, PacedPartials
from tympan.core.config import Finality, TurnConfig
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report, Word

CONFIG = TurnConfig(finality=Finality.TURN, partial_delay_ms=500)
FIRST_MS = 500 + CONFIRMING_SPEECH_MS
NOTHING = Hypothesis()
YES = Hypothesis((Word("yes", StreamMs(0), StreamMs(200), 0.9),))


def speaking(now_ms: int, *, speech_ms: int | None = None, hypothesis: Hypothesis = YES) -> Report:
    """Somebody has spoken from the beginning up to now, unless less of it was voiced."""
    voiced_ms = now_ms if speech_ms is None else speech_ms
    return Report(StreamMs(now_ms), voiced_ms, StreamMs(0), StreamMs(now_ms), True, hypothesis, 0.0)


def pausing(now_ms: int, *, since_ms: int, hypothesis: Hypothesis = YES) -> Report:
    return Report(StreamMs(now_ms), since_ms, StreamMs(0), StreamMs(since_ms), False, hypothesis, 0.2)


def told(cadence: PacedPartials, report: Report, moment: Moment) -> bool:
    return cadence.is_telling_due(report, NOTHING, moment)


def read_and_told(cadence: PacedPartials, now_ms: int) -> bool:
    return cadence.is_read_due(speaking(now_ms)) and told(cadence, speaking(now_ms), Moment.READ)


@pytest.mark.parametrize(("speech_ms", "is_due"), [(FIRST_MS - 1, False), (FIRST_MS, True)])
def test_the_first_partial_waits_for_enough_speech(speech_ms: int, is_due: bool) -> None:
    assert PacedPartials(CONFIG).is_read_due(speaking(5000, speech_ms=speech_ms)) is is_due


@pytest.mark.parametrize(("delay_ms", "first_ms"), [(0, 256), (1000, 1256)])
def test_the_delay_is_the_sessions_and_may_change(delay_ms: int, first_ms: int) -> None:
    cadence = PacedPartials(CONFIG)
    cadence.configure(TurnConfig(finality=Finality.TURN, partial_delay_ms=delay_ms))
    assert not cadence.is_read_due(speaking(first_ms - 1))
    assert cadence.is_read_due(speaking(first_ms))


def test_a_first_read_without_words_is_repeated_a_little_later() -> None:
    cadence = PacedPartials(CONFIG)
    assert cadence.is_read_due(speaking(FIRST_MS))
    assert not told(cadence, speaking(FIRST_MS, hypothesis=NOTHING), Moment.READ)
    assert not cadence.is_read_due(speaking(FIRST_MS + READ_AGAIN_MS - 1))
    assert cadence.is_read_due(speaking(FIRST_MS + READ_AGAIN_MS))


def test_long_speech_is_told_every_three_seconds() -> None:
    cadence = PacedPartials(CONFIG)
    at_ms = [now_ms for now_ms in range(0, 10_000) if read_and_told(cadence, now_ms)]
    assert at_ms == [FIRST_MS, FIRST_MS + CONTINUOUS_MS, FIRST_MS + 2 * CONTINUOUS_MS, FIRST_MS + 3 * CONTINUOUS_MS]


def test_without_continuous_partials_long_speech_is_told_once() -> None:
    cadence = PacedPartials(TurnConfig(finality=Finality.TURN, has_continuous_partials=False))
    assert [now_ms for now_ms in range(0, 20_000, 32) if read_and_told(cadence, now_ms)] == [768]


def test_nothing_is_read_while_nobody_speaks() -> None:
    assert not PacedPartials(CONFIG).is_read_due(pausing(9000, since_ms=8000))


def test_a_pause_is_told_once_however_often_it_is_looked_at() -> None:
    cadence = PacedPartials(CONFIG)
    looks = [pausing(1000 + silence_ms, since_ms=1000) for silence_ms in (100, 400, 600)]
    assert [told(cadence, look, Moment.LOOK) for look in looks] == [True, False, False]
    assert told(cadence, pausing(2100, since_ms=2000), Moment.LOOK)


def test_a_pause_is_told_even_if_the_turn_reads_as_before() -> None:
    assert PacedPartials(CONFIG).is_telling_due(pausing(1100, since_ms=1000), YES, Moment.LOOK)


def test_a_pause_before_the_first_partial_takes_its_place() -> None:
    cadence = PacedPartials(CONFIG)
    assert told(cadence, pausing(400, since_ms=300), Moment.LOOK)
    assert not cadence.is_read_due(speaking(400 + CONTINUOUS_MS - 1))
    assert cadence.is_read_due(speaking(400 + CONTINUOUS_MS))


def test_a_pause_without_words_is_told_at_a_later_look_that_finds_some() -> None:
    cadence = PacedPartials(CONFIG)
    assert not told(cadence, pausing(400, since_ms=300, hypothesis=NOTHING), Moment.LOOK)
    assert told(cadence, pausing(700, since_ms=300), Moment.LOOK)


def test_words_that_are_gone_are_told_as_gone() -> None:
    assert PacedPartials(CONFIG).is_telling_due(pausing(400, since_ms=300, hypothesis=NOTHING), YES, Moment.LOOK)


def test_a_mere_step_is_never_told() -> None:
    assert not told(PacedPartials(CONFIG), speaking(5000), Moment.STEP)


def test_each_turn_begins_afresh() -> None:
    cadence = PacedPartials(CONFIG)
    assert read_and_told(cadence, FIRST_MS)
    assert told(cadence, pausing(1100, since_ms=1000), Moment.LOOK)
    cadence.reset()
    assert read_and_told(cadence, FIRST_MS + 1)
    assert told(cadence, pausing(1100, since_ms=1000), Moment.LOOK)


def test_word_by_word_every_change_is_told_and_nothing_read() -> None:
    cadence = EveryChange()
    assert cadence.is_telling_due(speaking(32), NOTHING, Moment.STEP)
    assert not cadence.is_telling_due(speaking(32), YES, Moment.LOOK)
    assert not cadence.is_read_due(speaking(60_000))
