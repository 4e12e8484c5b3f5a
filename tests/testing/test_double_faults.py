"""What a script makes go wrong, as a client on a real socket meets it; and that it is the same each time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from running_service import PATIENCE_S, Client, audio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tympan.testing import DoubleServer

TERMINATE = {"type": "Terminate"}


@pytest.fixture
def server() -> Iterator[DoubleServer]:
    with DoubleServer() as running:
        running.says("Hi, my name is Sonny.")
        yield running


@contextmanager
def client_of(server: DoubleServer, query: str = "format_turns=true") -> Iterator[Client]:
    headers = {"Authorization": server.api_key}
    address = f"{server.url}/v3/ws?{query}"
    with connect(address, additional_headers=headers, compression=None, open_timeout=PATIENCE_S) as socket:
        yield Client(socket)


def finals(messages: list[dict[str, Any]]) -> list[str]:
    return [message["transcript"] for message in messages if message.get("end_of_turn")]


def hold(server: DoubleServer, ms: int = 3000) -> tuple[list[dict[str, Any]], int]:
    """A whole session: everything it said, and the close code."""
    with client_of(server) as client:
        client.tries_to_send(*audio(ms), TERMINATE)
        messages, code, _ = client.hears_end()
    return messages, code


def hear_until_lost(client: Client) -> None:
    while True:
        client.hears()


def test_without_faults_a_session_is_an_ordinary_one(server: DoubleServer) -> None:
    messages, code = hold(server)
    assert (messages[0]["type"], messages[-1]["type"], code) == ("Begin", "Termination", 1000)
    assert finals(messages) == ["hi my name is sonny", "Hi, my name is Sonny."]


def test_every_session_with_the_same_audio_is_told_the_same(server: DoubleServer) -> None:
    turns = [[message for message in hold(server)[0] if message["type"] == "Turn"] for _ in range(3)]
    assert turns[0] == turns[1] == turns[2]


def test_a_close_comes_once_all_that_was_heard_before_is_told(server: DoubleServer) -> None:
    server.closes(3005, after_audio_ms=2400, error="Session Cancelled: An error occurred")
    for _ in range(5):
        messages, code = hold(server)
        error = {"type": "Error", "error": "Session Cancelled: An error occurred", "error_code": 3005}
        assert (messages[-1], code) == (error, 3005)
        assert finals(messages) == ["hi my name is sonny", "Hi, my name is Sonny."]
    server.assert_closed_with(3005)


def test_a_close_before_begin_is_all_that_a_client_gets(server: DoubleServer) -> None:
    server.closes(1008, at="begin", error="Unauthorized Connection: Too many sessions")
    messages, code = hold(server)
    assert ([message["type"] for message in messages], code) == (["Error"], 1008)


def test_a_session_may_fail_once_and_work_the_next_time(server: DoubleServer) -> None:
    server.closes(3009, at="begin")
    server.then()
    server.says("Better now.")
    assert hold(server)[1] == 3009
    assert finals(hold(server)[0])[-1] == "Better now."
    assert finals(hold(server)[0])[-1] == "Better now."


def test_a_dropped_connection_has_no_close(server: DoubleServer) -> None:
    server.shows_partials(every_ms=1000)
    server.drops(after_messages=3)
    with client_of(server) as client:
        client.says(ms=2000)  # no more, for a client that sends into a lost connection may lose what it hasn't read
        with pytest.raises(ConnectionClosed) as caught:
            hear_until_lost(client)
    assert (len(client.heard), caught.value.rcvd) == (3, None)
    server.assert_closed_with(1006)


@pytest.mark.parametrize(("encoding", "rate_hz"), [("pcm_mulaw", 8000), ("pcm_s16le", 44_100), ("pcm_s16le", 48_000)])
def test_a_moment_of_the_audio_comes_at_any_rate(server: DoubleServer, encoding: str, rate_hz: int) -> None:
    server.drops(after_audio_ms=500)
    chunk = bytes(rate_hz // 20 * (1 if encoding == "pcm_mulaw" else 2))
    with client_of(server, f"encoding={encoding}&sample_rate={rate_hz}") as client:
        client.tries_to_send(*[chunk] * 100)
        assert client.hears_end()[1] == 1006
    server.assert_closed_with(1006)
    assert 500 <= server.session.audio_ms <= 550


def test_instead_of_termination_the_connection_may_break(server: DoubleServer) -> None:
    server.drops(at="termination")
    with client_of(server) as client:
        client.says(ms=1000)
        client.sends(TERMINATE)
        with pytest.raises(ConnectionClosed):
            hear_until_lost(client)
    assert "Termination" not in {message["type"] for message in client.heard}
    assert finals(client.heard)


def test_a_close_at_terminate_comes_before_the_last_words(server: DoubleServer) -> None:
    server.closes(1011, at="terminate", error="")
    with client_of(server) as client:
        client.says(ms=1000)
        client.sends(TERMINATE)
        messages, code, _ = client.hears_end()
    assert (finals(messages), code) == ([], 1011)


def test_a_malformed_message_comes_between_the_others(server: DoubleServer) -> None:
    server.sends('{"type": "Turn", "words": 7', after_audio_ms=2500)
    with client_of(server) as client:
        client.says(ms=3000)
        client.sends(TERMINATE)
        texts = [str(text) for text in client.socket]
    assert texts[-2] == '{"type": "Turn", "words": 7'
    assert server.session.said[-2] == {"malformed": texts[-2]}
    assert json.loads(texts[-1])["type"] == "Termination"


def test_begin_is_late_and_what_follows_is_not_lost(server: DoubleServer) -> None:
    server.delays(300)
    started = time.monotonic()
    with client_of(server) as client:
        client.says(ms=3000)
        assert client.hears()["type"] == "Begin"
        assert time.monotonic() - started >= 0.3
        client.sends(TERMINATE)
        assert len(finals(client.hears_end()[0])) == 2


def test_a_silent_server_answers_nothing_and_stays(server: DoubleServer) -> None:
    server.falls_silent()
    with client_of(server) as client:
        client.says(ms=3000)
        client.sends(TERMINATE)
        with pytest.raises(TimeoutError):
            client.socket.recv(timeout=0.3)
        assert client.socket.close_code is None
    server.session.assert_received("Terminate")
    server.assert_heard(ms=3000)
    assert (server.session.said, len(server.session.audio)) == ([], 96_000)


def test_a_server_that_falls_silent_has_told_what_came_before(server: DoubleServer) -> None:
    server.falls_silent(after_audio_ms=2400)
    with client_of(server) as client:
        client.says(ms=3000)
        while len(finals(client.heard)) < 2:
            client.hears()
        client.sends(TERMINATE)
        with pytest.raises(TimeoutError):
            client.socket.recv(timeout=0.2)


def test_a_refused_key_is_refused_as_ever_and_takes_no_session(server: DoubleServer) -> None:
    server.then()
    server.says("Never heard.")
    headers = {"Authorization": "wrong"}
    with connect(f"{server.url}/v3/ws", additional_headers=headers, open_timeout=PATIENCE_S) as socket:
        assert Client(socket).hears_end()[1] == 1008
    server.assert_closed_with(1008)
    assert finals(hold(server)[0])[-1] == "Hi, my name is Sonny."


def test_a_session_that_may_be_resumed_survives_a_drop_of_the_script(server: DoubleServer) -> None:
    server.drops(after_audio_ms=1500)
    with client_of(server, "format_turns=true&resumable=true") as client:
        client.says(ms=1500)
        with pytest.raises(ConnectionClosed):
            hear_until_lost(client)
    begin, received = client.heard[0], len(client.heard)
    with client_of(server, f"resume_key={begin['resume_key']}&messages_received={received}") as again:
        assert again.hears()["audio_received_bytes"] == 48_000
        again.says(ms=1500)
        again.sends(TERMINATE)
        messages, code, _ = again.hears_end()
    assert (finals(messages), code) == (["hi my name is sonny", "Hi, my name is Sonny."], 1000)


def test_the_u3_profile_is_played_as_well(server: DoubleServer) -> None:
    with client_of(server, "speech_model=u3-rt-pro") as client:
        client.says(ms=3000)
        client.sends(TERMINATE)
        messages, _, _ = client.hears_end()
    assert "SpeechStarted" in {message["type"] for message in messages}
    assert finals(messages) == ["Hi, my name is Sonny."]


def test_recorded_messages_are_said_as_they_are(server: DoubleServer) -> None:
    server.plays(
        """
        [[messages]]
        at_ms = 500
        type = "SpeechStarted"
        timestamp = 100
        [[messages]]
        at_ms = 60_000
        type = "SpeechStarted"
        timestamp = 200
        """
    )
    messages, code = hold(server)
    assert [message.get("timestamp") for message in messages] == [None, 100, 200, None]
    assert code == 1000


def test_the_legacy_protocol_is_played_with_its_faults(server: DoubleServer) -> None:
    server.closes(4031, at="termination", error="Session idle for too long")
    headers = {"Authorization": server.api_key}
    address = f"{server.url}/v2/realtime/ws?sample_rate=16000"
    with connect(address, additional_headers=headers, open_timeout=PATIENCE_S) as socket:
        client = Client(socket)
        client.says(ms=3000)
        client.sends({"terminate_session": True})
        messages, code, _ = client.hears_end()
    texts = [message["text"] for message in messages if message.get("message_type") == "FinalTranscript"]
    assert (texts, messages[-1]["error"], code) == (["Hi, my name is Sonny."], "Session idle for too long", 4031)
