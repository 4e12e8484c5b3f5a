"""A session goes on over a new connection: nothing lost, nothing doubled."""

from __future__ import annotations

import socket

import pytest
from background import background
from resuming_client import FORCE, TERMINATE, ResumingClient, is_noticed, kept, uncut, unread_end
from running_service import CHUNK, Service, Start, StuckRecognizer, eventually
from tcp_proxy import How, Proxy

from tympan.engines.scripted import Script, ScriptedWord
from tympan.server.config import NetworkConfig


def test_a_conversation_cut_in_mid_word_goes_on_as_if_nothing_had_happened(service: Service) -> None:
    client = ResumingClient(service, "format_turns=true")
    client.begins()
    client.says(600)
    client.hears_until("Turn", transcript="")
    client.is_cut()
    client.says(400)
    client.resumes()
    client.says(1000)
    client.sends(TERMINATE)
    assert client.hears_end() == (1000, "Session Ended")
    assert client.story() == uncut(service, query="format_turns=true")
    assert eventually(service.is_idle)


def test_resumed_says_where_both_stand(service: Service) -> None:
    client = ResumingClient(service)
    begin = client.begins()
    client.sends({"type": "KeepAlive"})
    client.says(500)
    client.sends({"type": "UpdateConfiguration", "format_turns": True})
    client.acknowledges()
    client.hears_until("Turn")
    client.line.is_answered()  # so all before has come
    client.is_cut()
    assert client.connects_again() == {
        "type": "Resumed",
        "id": begin["id"],
        "audio_received_bytes": 500 * 32,
        "messages_received": 2,
        "expires_at": begin["expires_at"],
    }


def test_what_was_told_while_nobody_was_there_is_told_then(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.says(2000)
    client.sends(FORCE)
    client.line.is_answered()
    client.is_cut()
    assert is_noticed(service)
    client.resumes()
    final = client.hears_until("Turn", end_of_turn=True)
    assert final["transcript"] == "hi my name is sonny"
    client.sends(TERMINATE)
    client.hears_end()
    assert client.story() == uncut(service)


def test_a_conversation_cut_in_silence_goes_on(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    client.resumes()
    client.says(2000)
    client.sends(TERMINATE)
    client.hears_end()
    assert client.story() == uncut(service)


def test_a_termination_that_was_not_read_can_still_be_fetched(service: Service) -> None:
    with unread_end(service, TERMINATE) as client:
        client.resumes()
        assert client.hears_end() == (1000, "Session Ended")
    assert client.told[-1]["type"] == "Termination"
    assert client.story() == uncut(service)
    assert eventually(service.is_idle)


def test_an_end_with_an_error_that_was_not_read_can_still_be_fetched(service: Service) -> None:
    with unread_end(service, "nonsense") as client:
        client.resumes()
        code, _ = client.hears_end()
    assert (client.told[-1]["type"], client.told[-1]["error_code"], code) == ("Error", 3006, 3006)


def test_messages_after_terminate_are_counted_too(start: Start) -> None:
    recognizer = StuckRecognizer()
    service = start(recognizer=recognizer)
    client = ResumingClient(service)
    client.begins()
    client.says(2000)
    for message in (TERMINATE, {"type": "KeepAlive"}, {"type": "Nothing"}):
        client.sends(message)
    client.line.is_answered()  # all of it has come before the session is over
    client.is_cut()
    assert is_noticed(service)
    assert client.connects_again()["messages_received"] == 3
    recognizer.is_released.set()
    assert client.hears_end() == (1000, "Session Ended")
    assert client.story() == uncut(service)


def test_a_line_may_break_many_times(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    for _ in range(8):
        client.says(250)
        client.is_cut()
        client.resumes()
        client.is_cut()
        client.resumes()
    client.sends(TERMINATE)
    assert client.hears_end() == (1000, "Session Ended")
    assert client.story() == uncut(service)
    assert len(client.resumed) == 16


def test_a_connection_that_still_hangs_on_the_session_is_replaced(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.says(800)
    client.hears_until("Turn")
    old = client.line
    client.resumes()
    messages, code, reason = old.hears_end()
    assert (messages[-1]["error"], code) == ("Session Resumed Elsewhere", 4103)
    assert reason == "See Error message for details"
    client.says(1200)
    client.sends(TERMINATE)
    client.hears_end()
    assert client.story() == uncut(service)
    assert eventually(service.is_idle)


def test_a_client_that_answers_no_ping_is_lost_and_its_session_kept(start: Start) -> None:
    service = start()
    with background() as loop, loop.entered(Proxy("127.0.0.1", service.port)) as proxy:
        client = ResumingClient(service, url=proxy.url)
        client.begins()
        client.says(800)
        client.hears_until("Turn")
        loop.call(proxy.cut, How.HANG)
        service.loop.passes(NetworkConfig().ping_interval_s)
        service.loop.passes(NetworkConfig().ping_timeout_s)
        assert is_noticed(service)
        assert not service.server.server_state.connections, "the dead connection holds nothing"
        client.resumes()
        client.says(1200)
        client.sends(TERMINATE)
        client.hears_end()
    assert client.story() == uncut(service)


def test_a_client_that_takes_nothing_is_lost_and_its_session_kept(start: Start) -> None:
    words = tuple(ScriptedWord("long" * 250, number * 50, number * 50 + 50) for number in range(500))
    network = NetworkConfig(send_timeout_s=3600, ping_interval_s=7200)  # longer than the client takes to say it all
    service = start(Script(words, frame_ms=50), network=network)
    service.listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", service.port))
    client = ResumingClient(service, sock=narrow, max_queue=1)
    client.begins()
    for _ in words:
        client.sends(CHUNK)
        client.sends(FORCE)
    [connection] = service.server.server_state.connections
    assert eventually(lambda: not connection.writable.is_set())
    assert kept(service) == 0
    service.loop.passes(network.send_timeout_s)
    assert is_noticed(service)
    client.sends(TERMINATE)
    client.resumes()
    assert client.hears_end() == (1000, "Session Ended")
    finals = [message for message in client.told if message.get("end_of_turn")]
    assert len(finals) == len(words)


# What is checkpointed and acknowledged


def test_checkpoints_tell_what_may_be_forgotten(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.sends({"type": "KeepAlive"})
    client.says(4000)
    client.sends(TERMINATE)
    client.hears_end()
    checkpoints = [message for message in client.told if message["type"] == "Checkpoint"]
    settled = [checkpoint["audio_settled_ms"] for checkpoint in checkpoints]
    assert len(checkpoints) >= 3
    assert settled == sorted(settled)
    assert 1400 in settled, "the end of the last word, right after its turn"
    assert all(checkpoint["audio_received_bytes"] <= 4000 * 32 for checkpoint in checkpoints)
    assert {checkpoint["messages_received"] for checkpoint in checkpoints} <= {1, 2}


def test_acknowledged_messages_are_not_told_again(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.says(800)
    client.hears_until("Turn")
    client.acknowledges()
    client.line.is_answered()
    client.is_cut()
    refusal = client.connects_again(received=0)
    assert (refusal["type"], refusal["error_code"]) == ("Error", 4004)
    assert refusal["error"].startswith("Session Not Resumable: messages are kept from number ")
    assert client.connects_again()["type"] == "Resumed", "a refusal changes nothing"


@pytest.mark.parametrize("count", [-1, 100, 2**53])
def test_an_acknowledgement_of_what_was_never_sent_ends_the_session(service: Service, count: int) -> None:
    client = ResumingClient(service)
    client.begins()
    client.acknowledges(count)
    client.hears_end()
    assert client.told[-1]["error_code"] == 3006
    assert "Invalid 'messages'" in client.told[-1]["error"]
