"""What a voice agent's detection hears, and what it waits for."""

from __future__ import annotations

from bench.messages import TurnMessage
from bench.voice_stops import Answers, Speech, answers, stretches

YES, NO = 0.9, 0.1


def final(at_ms: float) -> TurnMessage:
    return TurnMessage(at_ms, 0, (), "text", end_of_turn=True, is_formatted=True)


def test_speech_stops_when_silence_has_lasted() -> None:
    heard = stretches([NO] * 5 + [YES] * 20 + [NO] * 10 + [YES] * 10 + [NO] * 12, frame_ms=20)
    assert heard == [Speech(100, 500, 700), Speech(700, 900, 1100)]


def test_a_noise_is_no_speech_and_a_gap_no_silence() -> None:
    assert stretches([NO] * 5 + [YES] * 9 + [NO] * 20, frame_ms=20) == []
    assert stretches([YES] * 10 + [NO] * 9 + [YES] + [NO] * 10, frame_ms=20) == [Speech(0, 400, 600)]


def test_speech_that_goes_on_at_the_end_has_no_stop() -> None:
    assert stretches([YES] * 30 + [NO] * 9, frame_ms=20) == []


def test_the_first_final_after_the_force_is_the_answer() -> None:
    speech = [Speech(0, 1000, 1192), Speech(2000, 3000, 3192)]
    finals = [final(900), final(1150), final(1240), final(1900), final(3260)]
    assert answers(speech, [1200, 3200], finals) == Answers((240, 260), (), 0)


def test_an_answer_may_come_while_more_is_said_until_that_is_heard() -> None:
    speech = [Speech(0, 1000, 1192), Speech(1192, 3000, 3192)]
    assert answers(speech, [1192, 3192], [final(1391), final(3192)]) == Answers((399, 200), (), 0)
    assert answers(speech, [1192, 3192], [final(1392), final(3192)]) == Answers((200,), (), 1)


def test_a_turn_that_ended_before_the_force_is_told_apart() -> None:
    speech = [Speech(0, 1000, 1192), Speech(2000, 3000, 3192)]
    assert answers(speech, [1192, 3192], [final(1100), final(1191), final(2992)]) == Answers((), (199, 0), 0)


def test_a_final_of_what_was_said_before_answers_no_stop() -> None:
    speech = [Speech(0, 300, 492), Speech(492, 1500, 1692)]
    assert answers(speech, [492, 1692], [final(291), final(1491)]) == Answers((), (), 2)
    assert answers(speech, [492, 1692], [final(292), final(1492)]) == Answers((), (0, 0), 0)


def test_every_stop_that_has_an_answer_counts_once() -> None:
    assert Answers((210, 220), (190,), 3).all_ms == (210, 220, 190)
