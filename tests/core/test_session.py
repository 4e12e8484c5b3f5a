"""Session by example: phases, order, limits, deadlines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compressed_streams import adts_frame, ogg_headers, ogg_page, opus_packet
from tympan.core.audio import AudioFormat, CompressedEncoding, CompressedFormat, Encoding, SessionAudio
from tympan.core.config import ConfigUpdate, SessionConfig, SessionLimits
from tympan.core.effects import Close, Effect, Emit, Feed, Finish, ForceEndpoint, Mark
from tympan.core.errors import (
    AudioTooFast,
    BadAudio,
    BadChunk,
    EngineError,
    Inactive,
    MalformedMessage,
    MaxDurationExceeded,
    ServerStopping,
    TympanError,
)
from tympan.core.events import SessionBegan, SessionEnded, SpeechStarted
from tympan.core.listening import Heard, ListeningFailed
from tympan.core.session import Session
from tympan.core.units import Monotonic, StreamMs

BEGAN = Monotonic(1000.0)
SECOND = bytes(32_000)


def at(seconds: float) -> Monotonic:
    return Monotonic(BEGAN + seconds)


def session(audio: SessionAudio | None = None, **limits: object) -> Session:
    config = SessionConfig(
        audio=audio or AudioFormat(),
        limits=replace(SessionLimits(), **limits),  # type: ignore[arg-type]
    )
    return Session("s", config, BEGAN)


def error_of(effects: list[Effect]) -> TympanError | None:
    (close,) = [effect for effect in effects if isinstance(effect, Close)]
    return close.error


FINISHED = Heard(StreamMs(0), is_finished=True)


def test_a_session_begins_with_its_id_and_expiry() -> None:
    assert session().begin(1_800_000_000) == [Emit(SessionBegan("s", 1_800_000_000))]


def test_audio_is_fed_as_it_came() -> None:
    assert session().receive_audio(b"\x01\x02\x03", at(0)) == [Feed(b"\x01\x02\x03")]


def test_controls_are_marks_in_the_order_in_which_they_came() -> None:
    it = session()
    update = ConfigUpdate(min_silence_ms=100)
    effects = [
        *it.receive_audio(b"ab", at(0)),
        *it.receive_update(update, at(0)),
        *it.receive_audio(b"cd", at(0)),
        *it.receive_force_endpoint(at(0)),
        *it.receive_terminate(at(0)),
    ]
    assert effects == [Feed(b"ab"), Mark(update), Feed(b"cd"), Mark(ForceEndpoint()), Mark(Finish())]


def test_what_was_heard_is_told() -> None:
    started = SpeechStarted(0, StreamMs(5))
    assert session().receive_heard(Heard(StreamMs(20), (started,)), at(1)) == [Emit(started)]


def test_a_graceful_end_tells_the_last_events_then_the_durations_then_closes() -> None:
    it = session()
    it.receive_audio(SECOND * 3, at(0.1))
    it.receive_terminate(at(2.6))
    started = SpeechStarted(0, StreamMs(5))
    assert it.receive_heard(Heard(StreamMs(3000), (started,), is_finished=True), at(7.25)) == [
        Emit(started),
        Emit(SessionEnded(audio_duration_s=3.0, session_duration_s=7.25)),
        Close(None),
    ]
    assert it.is_closed


def test_nothing_that_comes_after_terminate_has_an_effect() -> None:
    it = session()
    it.receive_terminate(at(1))
    assert it.receive_audio(SECOND, at(1)) == []
    assert it.receive_force_endpoint(at(1)) == []
    assert it.receive_update(ConfigUpdate(), at(1)) == []
    assert it.receive_terminate(at(1)) == []
    assert it.received_ms == 0


def test_a_terminated_session_waits_for_its_listener_whatever_the_clock_says() -> None:
    it = session(inactivity_timeout_s=5)
    it.receive_terminate(at(1))
    assert it.deadline() is None
    assert it.advance(at(100_000)) == []


def test_nothing_follows_the_close() -> None:
    it = session()
    assert it.refuse(MalformedMessage("Invalid JSON"))
    silent = [
        it.refuse(MalformedMessage("again")),
        it.receive_audio(SECOND, at(1)),
        it.receive_keep_alive(at(1)),
        it.receive_force_endpoint(at(1)),
        it.receive_update(ConfigUpdate(), at(1)),
        it.receive_terminate(at(1)),
        it.receive_heard(FINISHED, at(1)),
        it.receive_heard(ListeningFailed(EngineError("e", "r")), at(1)),
        it.advance(at(100_000)),
        it.close(),
    ]
    assert silent == [[]] * len(silent)


def test_closing_is_idempotent_and_silent() -> None:
    it = session()
    assert (it.close(), it.close(), it.is_closed) == ([], [], True)


def test_the_wire_s_error_closes_at_once() -> None:
    error = MalformedMessage("Invalid JSON")
    assert session().refuse(error) == [Close(error)]


def test_a_failed_engine_closes_with_its_error() -> None:
    error = EngineError("scripted", "out of tape")
    assert session().receive_heard(ListeningFailed(error), at(1)) == [Close(error)]


# Chunks


def test_an_empty_chunk_is_no_audio_but_counts_as_activity() -> None:
    it = session(inactivity_timeout_s=5)
    assert it.receive_audio(b"", at(4)) == []
    assert it.deadline() == at(9)


def test_positions_count_whole_samples_over_odd_chunks() -> None:
    it = session()
    positions = []
    for _ in range(4):
        it.receive_audio(bytes(31), at(0))
        positions.append(it.received_ms)
    assert positions == [0, 1, 2, 3]  # 31, 62, 93, 124 bytes of 32 a millisecond


def test_a_chunk_of_ten_seconds_is_accepted_and_more_is_not() -> None:
    assert session().receive_audio(SECOND * 10, at(0)) == [Feed(SECOND * 10)]
    error = error_of(session().receive_audio(SECOND * 10 + b"\0", at(0)))
    assert isinstance(error, BadChunk)
    assert str(error) == "Input Duration Violation: 10000.0 ms. Expected between 0 and 10000 ms"


def test_a_chunk_that_is_too_long_is_told_both_bounds() -> None:
    it = session(min_chunk_ms=50, max_chunk_ms=1000)
    error = error_of(it.receive_audio(bytes(38_400), at(0)))
    assert str(error) == "Input Duration Violation: 1200.0 ms. Expected between 50 and 1000 ms"


def test_tiny_chunks_are_taken_for_ever_where_no_bound_is_set() -> None:
    it = session()
    for _ in range(2000):
        assert it.receive_audio(bytes(32), at(0)) == [Feed(bytes(32))]


def test_short_chunks_are_taken_for_less_than_a_second() -> None:
    it = session(min_chunk_ms=50)
    for _ in range(49):
        assert it.receive_audio(bytes(640), at(0)) == [Feed(bytes(640))]
    assert isinstance(error_of(it.receive_audio(bytes(640), at(0))), BadChunk)


def test_a_long_enough_chunk_starts_the_count_of_short_ones_anew() -> None:
    it = session(min_chunk_ms=50)
    for chunk in [bytes(640)] * 49 + [bytes(1600)] + [bytes(640)] * 49:
        assert it.receive_audio(chunk, at(0)) == [Feed(chunk)]
    assert not it.is_closed


def test_a_chunk_of_49_9_ms_is_short() -> None:
    it = session(min_chunk_ms=50)
    for _ in range(20):
        it.receive_audio(bytes(1598), at(0))
    assert isinstance(error_of(it.receive_audio(bytes(1598), at(0))), BadChunk)


# Backlog


def test_audio_may_run_ahead_to_the_limit_and_no_further() -> None:
    it = session(max_backlog_ms=2000)
    assert it.receive_audio(SECOND * 2, at(0)) == [Feed(SECOND * 2)]
    assert it.backlog_ms == 2000
    effects = it.receive_audio(bytes(32), at(0))
    assert isinstance(error_of(effects), AudioTooFast)
    assert len(effects) == 1  # and what is too much is not fed
    assert "2.0 sec. of audio wait" in str(error_of(effects))


def test_a_strict_session_counts_audio_as_waiting_that_the_hosted_service_could_not_have_judged() -> None:
    it = session(is_strict=True, max_backlog_ms=2000)
    assert it.receive_audio(SECOND * 2, at(0)) == [Feed(SECOND * 2)]
    it.receive_heard(Heard(StreamMs(2000)), at(0.5))
    at_hosted_pace = bytes(625 * 32)  # 0.5 s at 1.25 times real time
    assert it.receive_audio(at_hosted_pace, at(0.5)) == [Feed(at_hosted_pace)]
    it.receive_heard(Heard(StreamMs(2625)), at(0.5))
    error = error_of(it.receive_audio(bytes(32), at(0.5)))
    assert isinstance(error, AudioTooFast)
    assert str(error) == "Audio Transmission Rate Exceeded: Received 2.6 sec. audio in 0.5 sec"


def test_a_lenient_session_takes_audio_as_fast_as_it_is_judged() -> None:
    it = session(max_backlog_ms=2000)
    for second in range(1, 100):
        assert it.receive_audio(SECOND, at(0)) == [Feed(SECOND)]
        it.receive_heard(Heard(StreamMs(second * 1000)), at(0))


def test_judged_audio_makes_room() -> None:
    it = session(max_backlog_ms=2000)
    it.receive_audio(SECOND * 2, at(0))
    it.receive_heard(Heard(StreamMs(1500)), at(1))
    assert it.backlog_ms == 500
    assert it.receive_audio(SECOND, at(1)) == [Feed(SECOND)]


def test_compressed_audio_is_fed_as_it_came_and_counted_as_what_it_holds() -> None:
    it = session(CompressedFormat(CompressedEncoding.AAC))
    frames = adts_frame() * 11

    assert it.receive_audio(frames[:100], at(0)) == [Feed(frames[:100])]
    assert it.receive_audio(frames[100:], at(0)) == [Feed(frames[100:])]
    assert (it.received_ms, it.received_bytes) == (640, len(frames))


def test_a_strict_session_takes_opus_packets_as_they_are() -> None:
    it = session(CompressedFormat(CompressedEncoding.OPUS), is_strict=True, max_chunk_ms=1000)
    for _ in range(100):
        assert it.receive_audio(opus_packet(), at(0)) == [Feed(opus_packet())]


def test_a_message_may_complete_ten_seconds_of_compressed_audio_and_no_more() -> None:
    ogg = CompressedFormat(CompressedEncoding.OGG_OPUS)
    stream = ogg_headers() + ogg_page([opus_packet()] * 125, number=2) * 4
    one_more = ogg_page([opus_packet()], number=6)

    assert session(ogg, max_chunk_ms=1000).receive_audio(stream, at(0)) == [Feed(stream)]
    it = session(ogg, max_chunk_ms=1000)
    error = error_of(it.receive_audio(stream + one_more, at(0)))
    assert isinstance(error, BadChunk)
    assert str(error) == "Input Duration Violation: 10020.0 ms. Expected between 0 and 10000 ms"
    assert it.received_ms == 0


def test_audio_that_is_not_what_it_should_be_ends_a_session_with_an_error() -> None:
    it = session(CompressedFormat(CompressedEncoding.AAC))
    assert isinstance(error_of(it.receive_audio(b"RIFF" + bytes(100), at(0))), BadAudio)
    assert it.is_closed


def test_compressed_audio_that_waits_is_bounded_like_any_other() -> None:
    it = session(CompressedFormat(CompressedEncoding.OPUS), max_backlog_ms=2000)
    for _ in range(100):
        it.receive_audio(opus_packet(), at(0))
    assert isinstance(error_of(it.receive_audio(opus_packet(), at(0))), AudioTooFast)


def test_the_backlog_is_never_negative() -> None:
    it = session()
    it.receive_heard(Heard(StreamMs(20)), at(1))
    assert it.backlog_ms == 0


def test_telephone_audio_is_counted_in_its_own_bytes() -> None:
    it = session(AudioFormat(Encoding.PCM_MULAW, 8000), max_backlog_ms=1000)
    assert it.receive_audio(bytes(8000), at(0)) == [Feed(bytes(8000))]
    assert (it.received_ms, it.received_bytes) == (1000, 8000)
    assert isinstance(error_of(it.receive_audio(bytes(8), at(0))), AudioTooFast)


# Deadlines


def test_without_an_inactivity_timeout_only_the_maximum_length_is_due() -> None:
    assert session(max_duration_s=60).deadline() == at(60)


@pytest.mark.parametrize(
    "message",
    ["receive_keep_alive", "receive_force_endpoint"],
)
def test_any_message_keeps_a_session_alive(message: str) -> None:
    it = session(inactivity_timeout_s=5)
    getattr(it, message)(at(4.9))
    assert it.advance(at(5)) == []
    assert it.deadline() == at(9.9)


def test_what_is_heard_does_not_keep_a_session_alive() -> None:
    it = session(inactivity_timeout_s=5)
    it.receive_heard(Heard(StreamMs(20)), at(4.9))
    assert it.deadline() == at(5)


def test_a_silent_client_is_closed_at_its_timeout_and_not_before() -> None:
    it = session(inactivity_timeout_s=5)
    assert it.advance(at(4.999)) == []
    error = error_of(it.advance(at(5)))
    assert isinstance(error, Inactive)
    assert str(error) == "Session terminated due to inactivity: No messages received for 5 seconds"


def test_the_silence_of_a_lost_client_does_not_count() -> None:
    it = session(inactivity_timeout_s=5, max_duration_s=60)
    assert it.receive_lost(at(4.9)) == []
    assert it.deadline() == at(60)
    assert it.advance(at(30)) == []
    assert it.receive_resumed(at(30)) == []
    assert it.deadline() == at(35)


def test_a_client_that_is_lost_too_late_was_silent_for_too_long() -> None:
    it = session(inactivity_timeout_s=5)
    assert isinstance(error_of(it.receive_lost(at(5))), Inactive)


def test_a_session_expires_while_its_client_is_lost() -> None:
    it = session(max_duration_s=60)
    it.receive_lost(at(50))
    assert it.advance(at(60)) == [Mark(Finish())]


def test_a_deadline_that_falls_before_an_input_fires_first() -> None:
    it = session(inactivity_timeout_s=5)
    effects = it.receive_audio(SECOND, at(6))
    assert isinstance(error_of(effects), Inactive)
    assert len(effects) == 1  # the audio came too late


def test_a_session_that_expires_tells_every_word_first() -> None:
    it = session(max_duration_s=60)
    it.receive_audio(SECOND, at(59))
    assert it.advance(at(60)) == [Mark(Finish())]
    assert it.receive_audio(SECOND, at(60.1)) == []
    started = SpeechStarted(0, StreamMs(5))
    effects = it.receive_heard(Heard(StreamMs(1000), (started,), is_finished=True), at(60.2))
    assert effects[0] == Emit(started)
    assert str(error_of(effects)) == "Session Expired: Maximum session duration exceeded"
    assert isinstance(error_of(effects), MaxDurationExceeded)
    assert len(effects) == 2  # an expired session has no SessionEnded


def test_a_terminate_that_comes_after_the_expiry_adds_no_second_end() -> None:
    it = session(max_duration_s=60)
    assert it.receive_terminate(at(61)) == [Mark(Finish())]
    assert isinstance(error_of(it.receive_heard(FINISHED, at(61.1))), MaxDurationExceeded)


@pytest.mark.parametrize(("max_duration_s", "fired"), [(9.0, Mark(Finish())), (10.0, Mark(Finish())), (11.0, None)])
def test_of_two_missed_deadlines_the_earlier_one_counts(max_duration_s: float, fired: Effect | None) -> None:
    it = session(max_duration_s=max_duration_s, inactivity_timeout_s=10.0)
    effects = it.advance(at(100))
    if fired is None:
        assert isinstance(error_of(effects), Inactive)
    else:
        assert effects == [fired]


def test_a_server_that_stops_tells_what_was_heard_before_it_says_so() -> None:
    it = session()
    started = SpeechStarted(0, StreamMs(100))
    assert it.end(ServerStopping("The server is shutting down")) == [Mark(Finish())]
    effects = it.receive_heard(Heard(StreamMs(1000), (started,), is_finished=True), at(1))
    assert effects[0] == Emit(started)
    assert isinstance(error_of(effects), ServerStopping)


def test_a_session_that_is_ending_already_is_not_ended_again() -> None:
    it = session()
    it.receive_terminate(at(1))
    assert it.end(ServerStopping("The server is shutting down")) == []
    assert it.receive_heard(FINISHED, at(2))[-1] == Close(None)
