"""What a voice agent's detection hears, and what it waits for."""

from __future__ import annotations

from bench.messages import TurnMessage
from bench.voice_stops import Speech, finals_after_speech_ms, stretches

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


def test_the_last_final_before_more_speech_counts() -> None:
    speech = [Speech(0, 1000, 1200), Speech(2000, 3000, 3200)]
    finals = [final(900), final(1150), final(1240), final(3260)]
    assert finals_after_speech_ms(speech, finals) == [240, 260]


def test_speech_without_an_answer_adds_nothing() -> None:
    speech = [Speech(0, 1000, 1200), Speech(2000, 3000, 3200)]
    assert finals_after_speech_ms(speech, [final(3230)]) == [230]
