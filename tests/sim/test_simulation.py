"""Hundreds of sessions side by side in virtual time, hours of audio, all kinds of clients."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from simulation import INACTIVITY_S, KINDS, MAX_DURATION_S, RESUME_WINDOW_S, Call, client, simulate

from conversation import check_turns, listen
from tympan.core.config import Finality
from tympan.core.errors import AudioTooFast, EngineError, Inactive, MalformedMessage, MaxDurationExceeded
from tympan.core.events import Heartbeat, SessionBegan, SessionEnded, TurnEnded, TurnEvent, TurnUpdated
from tympan.core.heartbeat import PERIOD_S

PER_KIND = 20
GRACEFUL = {"steady", "slow", "bursty", "file", "idle", "flaky"}
ENDS: dict[str, type[Exception]] = {
    "flood": AudioTooFast,
    "silent": Inactive,
    "endless": MaxDurationExceeded,
    "rude": MalformedMessage,
    "broken": EngineError,
}


@pytest.fixture(scope="module")
def calls() -> Iterator[list[Call]]:
    logging.disable(logging.ERROR)  # the broken streams' tracebacks are expected
    clients = [client(kind, seed) for seed in range(PER_KIND) for kind in KINDS]
    yield simulate(clients, arrivals_s=60)
    logging.disable(logging.NOTSET)


def turn_events(call: Call) -> list[TurnEvent]:
    return [event for event in call.events if not isinstance(event, SessionBegan | Heartbeat | SessionEnded)]


def test_hours_of_audio_are_heard(calls: list[Call]) -> None:
    assert len(calls) == PER_KIND * len(KINDS)
    assert sum(call.session.received_ms for call in calls) > 5 * 3600 * 1000


def test_every_session_is_closed_and_every_stream_freed(calls: list[Call]) -> None:
    for call in calls:
        assert call.session.is_closed
        assert call.close_count == (call.client.kind not in {"lost", "gone"})
        assert call.stream.is_freed
        assert not call.seat.inbox


def test_each_kind_of_client_meets_its_end(calls: list[Call]) -> None:
    for call in calls:
        expected = ENDS.get(call.client.kind)
        if expected is None:
            assert call.error is None, call.client.kind
        else:
            assert isinstance(call.error, expected), (call.client.kind, call.error)


def test_a_graceful_end_tells_the_durations_last_and_no_other_end_does(calls: list[Call]) -> None:
    for call in calls:
        ended = [event for event in call.events if isinstance(event, SessionEnded)]
        assert len(ended) == (call.client.kind in GRACEFUL)
        if ended:
            assert call.events[-1] is ended[0]
            assert ended[0].audio_duration_s == call.session.received_ms / 1000


def test_every_word_of_a_session_that_was_heard_out_is_told_once(calls: list[Call]) -> None:
    for call in calls:
        told = check_turns(turn_events(call))
        words = [word.spoken() for word in call.client.script.words]
        assert told == words[: len(told)]
        if call.client.kind in GRACEFUL | {"endless"}:
            received_ms = call.session.received_ms
            assert len(told) == sum(word.end_ms <= received_ms for word in words)


def test_sessions_of_whole_turns_tell_each_once_and_nothing_final_before(calls: list[Call]) -> None:
    whole = [call for call in calls if call.client.config.turn.finality is Finality.TURN]
    assert any(isinstance(event, TurnUpdated) for call in whole for event in call.events)
    for call in whole:
        assert not any(event.final_count for event in call.events if isinstance(event, TurnUpdated))
        orders = [event.turn_order for event in call.events if isinstance(event, TurnEnded)]
        assert orders == list(range(len(orders)))


def test_hearts_beat_every_five_seconds_of_the_room_and_only_where_asked_for(calls: list[Call]) -> None:
    for call in calls:
        told = zip(call.told_at, call.events, strict=True)
        beats_at = [at - call.began_at for at, event in told if isinstance(event, Heartbeat)]
        if not call.client.config.output.has_heartbeat:
            assert beats_at == []
        assert beats_at == pytest.approx([PERIOD_S * (index + 1) for index in range(len(beats_at))])
    assert any(isinstance(event, Heartbeat) for call in calls for event in call.events)


def test_what_is_told_depends_on_the_audio_and_the_controls_alone(calls: list[Call]) -> None:
    for call in calls[:: len(KINDS) * 3 + 1]:
        alone = listen(call.client.script, call.client.config, call.items, at_once=True)
        told = turn_events(call)
        assert told == alone[: len(told)]
        if call.client.kind in GRACEFUL:
            assert told == alone


def test_sessions_end_at_their_deadlines_to_the_instant(calls: list[Call]) -> None:
    for call in calls:
        if call.client.kind == "silent":
            assert call.closed_at == call.last_message_at + INACTIVITY_S
        if call.client.kind == "gone":
            assert call.closed_at == call.last_message_at + RESUME_WINDOW_S
        if call.client.kind == "endless":
            assert call.closed_at is not None
            assert 0 < call.closed_at - (call.began_at + MAX_DURATION_S) < 1


def test_nobody_waits_for_anothers_file(calls: list[Call]) -> None:
    for call in calls:
        if call.client.kind in {"steady", "slow", "endless"}:
            assert call.longest_backlog_ms < 1000


def test_what_waits_is_bounded(calls: list[Call]) -> None:
    for call in calls:
        if call.client.kind != "flood":  # that one is closed by the chunk that passes the limit
            assert call.longest_backlog_ms <= call.client.config.limits.max_backlog_ms


def test_the_same_seed_gives_the_same_day() -> None:
    first, second = (simulate([client(kind, 1) for kind in KINDS if kind != "broken"], arrivals_s=5) for _ in "ab")
    assert [call.events for call in first] == [call.events for call in second]
    assert [call.closed_at for call in first] == [call.closed_at for call in second]
