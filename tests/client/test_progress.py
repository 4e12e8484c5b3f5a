"""How far a service must have come that doesn't say so, and how fast audio is sent again."""

from __future__ import annotations

from tympan.client.progress import CATCH_UP_SPEED, HEAD_START_MS, QUIET_MS, Progress
from tympan.core.units import Monotonic


def at(seconds: float) -> Monotonic:
    return Monotonic(100 + seconds)


def test_live_audio_is_quiet_once_it_has_lain_there_long_enough() -> None:
    progress = Progress(at(0), 0)
    for second in range(1, 61):
        progress.sent(second * 1000, at(second))
        progress.delivered(second * 1000)

    assert progress.quiet_until_ms(at(60)) == 60_000 - QUIET_MS - 1000, "the last second was sent just now"
    assert progress.quiet_until_ms(at(61)) == 60_000 - QUIET_MS


def test_audio_that_was_sent_at_once_takes_its_time_to_be_judged() -> None:
    progress = Progress(at(0), 5_000)
    progress.sent(605_000, at(0))
    progress.delivered(605_000)

    assert progress.quiet_until_ms(at(0)) == 5_000
    assert progress.quiet_until_ms(at(30)) == 5_000 + 30_000 - QUIET_MS
    assert progress.behind_s(at(30)) == 570
    assert progress.behind_s(at(3600)) == 0


def test_audio_that_a_dead_line_took_is_not_quiet() -> None:
    progress = Progress(at(0), 0)
    progress.sent(60_000, at(0))
    progress.delivered(30_000)

    assert progress.quiet_until_ms(at(600)) == 30_000 - QUIET_MS


def test_live_audio_is_sent_at_once() -> None:
    progress = Progress(at(0), 0)
    progress.sent(1_000_000, at(0))
    assert progress.delay_s(at(0)) == 0


def test_what_lies_there_is_sent_faster_than_it_was_spoken_but_not_all_at_once() -> None:
    progress = Progress(at(0), 10_000, catches_up_ms=300_000)
    progress.sent(10_000 + HEAD_START_MS, at(0))
    assert progress.delay_s(at(0)) == 0

    progress.sent(10_000 + HEAD_START_MS + 8_000, at(0))
    assert progress.delay_s(at(0)) == 8 / CATCH_UP_SPEED
    assert progress.delay_s(at(3)) == 0

    progress.sent(310_000, at(3))
    assert progress.delay_s(at(3)) == 0, "the rest is live"
