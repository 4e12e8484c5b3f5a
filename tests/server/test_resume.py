"""A session goes on over a new connection: nothing lost, nothing doubled; and what isn't kept is refused."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from background import background
from resuming_client import FORCE, TERMINATE, ResumingClient, story
from running_service import CHUNK, Service, Start, endings, eventually, limits
from tcp_proxy import How, Proxy

from tympan.core.kept_messages import MAX_KEPT_BYTES
from tympan.engines.scripted import Script, ScriptedWord
from tympan.server.config import NetworkConfig
from tympan.server.resumable import ResumableConversation

WINDOW_S = 0.3


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    """A server with everything at its default; what it still keeps after the test is let go."""
    yield shared_service
    shared_service.hang_up()

    def let_go() -> None:
        for conversation in list(shared_service.gateway.conversations):
            conversation.close()

    assert eventually(lambda: not shared_service.server.server_state.connections)
    shared_service.loop.call_soon_threadsafe(let_go)
    assert eventually(shared_service.is_idle)


def metric(service: Service, name: str, **labels: str) -> float:
    return service.gateway.metrics.registry.get_sample_value(f"tympan_{name}", labels) or 0.0


def kept(service: Service) -> float:
    return metric(service, "sessions_kept")


def is_noticed(service: Service, count: int = 1) -> bool:
    """The server has seen that so many clients are lost."""
    return eventually(lambda: kept(service) == count)


def uncut(service: Service, *, ms: int = 2000, query: str = "") -> list[dict[str, Any]]:
    """What a client is told whose line never breaks."""
    client = service.connects(query)
    client.says(ms)
    client.sends(TERMINATE)
    return story(client.hears_end()[0])


# What is offered


def test_begin_offers_to_resume_to_who_asks_and_to_nobody_else(service: Service) -> None:
    begin = ResumingClient(service).begins()
    assert len(begin["resume_key"]) >= 43
    assert begin["resume_window_seconds"] == 30
    plain = service.connects().hears()
    assert set(plain) == {"type", "id", "expires_at", "configuration"}
    assert set(begin) == set(plain) | {"resume_key", "resume_window_seconds"}


def test_a_session_that_did_not_ask_is_told_what_it_always_was(service: Service) -> None:
    client = service.connects()
    client.says(2000)
    client.sends(TERMINATE)
    messages, _, _ = client.hears_end()
    assert {message["type"] for message in messages} == {"Begin", "Turn", "Termination"}
    client = service.connects()
    client.sends({"type": "Acknowledge", "messages": 1})
    messages, code, _ = client.hears_end()
    assert (messages[-1]["error"], code) == ("User Input Validation Error: Invalid Message Type: Acknowledge", 3006)


def test_a_session_that_did_not_ask_is_not_kept(service: Service) -> None:
    client = service.connects()
    client.hears()
    client.socket.socket.shutdown(socket.SHUT_RDWR)
    assert eventually(service.is_idle)


def test_an_operator_may_turn_it_off(start: Start) -> None:
    service = start(resume_window_s=0)
    client = service.connects("resumable=true")
    assert "resume_key" not in client.hears()
    client.says(2000)
    client.sends(TERMINATE)
    assert {message["type"] for message in client.hears_end()[0]} == {"Turn", "Termination"}


def test_a_window_of_parts_of_a_second_is_told_rounded_up(start: Start) -> None:
    assert ResumingClient(start(resume_window_s=0.2)).begins()["resume_window_seconds"] == 1


# Going on


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
    client.line.socket.ping().wait(5)  # so all before has come
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
    client.line.socket.ping().wait(5)
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


@contextmanager
def unread_end(service: Service, *last: dict[str, Any] | str) -> Iterator[ResumingClient]:
    """A client that says this last, and whose line breaks when the session is over and nothing of it was read."""
    with background() as loop, loop.entered(Proxy("127.0.0.1", service.port)) as proxy:
        client = ResumingClient(service, url=proxy.url)
        client.begins()
        client.says(2000)
        proxy.delay_s = 0.5
        for message in last:
            client.line.sends(message) if isinstance(message, str) else client.sends(message)
        assert service.link is not None
        seats = service.link._seats
        assert eventually(lambda: not seats), "the engine is free"
        loop.call(proxy.cut, How.RESET)
        assert is_noticed(service)
        client.url = None
        yield client


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


def test_messages_after_terminate_are_counted_too(service: Service) -> None:
    with unread_end(service, TERMINATE, {"type": "KeepAlive"}, {"type": "Nothing"}) as client:
        assert client.connects_again()["messages_received"] == 3


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
    service = start(network=NetworkConfig(ping_interval_s=0.1, ping_timeout_s=0.2))
    with background() as loop, loop.entered(Proxy("127.0.0.1", service.port)) as proxy:
        client = ResumingClient(service, url=proxy.url)
        client.begins()
        client.says(800)
        client.hears_until("Turn")
        loop.call(proxy.cut, How.HANG)
        assert is_noticed(service)
        assert not service.server.server_state.connections, "the dead connection holds nothing"
        client.resumes()
        client.says(1200)
        client.sends(TERMINATE)
        client.hears_end()
    assert client.story() == uncut(service)


def test_a_client_that_takes_nothing_is_lost_and_its_session_kept(start: Start) -> None:
    words = tuple(ScriptedWord("long" * 250, number * 50, number * 50 + 50) for number in range(500))
    service = start(Script(words, frame_ms=50), network=NetworkConfig(send_timeout_s=0.3))
    service.listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", service.port))
    client = ResumingClient(service, sock=narrow, max_queue=1)
    client.begins()
    for _ in words:
        client.sends(CHUNK)
        client.sends(FORCE)
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
    client.line.socket.ping().wait(5)
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


# What isn't kept


def test_after_the_window_everything_is_free_and_the_key_opens_nothing(start: Start) -> None:
    service = start(resume_window_s=WINDOW_S, max_sessions=1)
    service.connects().socket.close()
    assert eventually(service.is_idle)
    descriptors = psutil.Process().num_fds()
    client = ResumingClient(service)
    client.begins()
    client.says(800)
    client.is_cut()
    assert is_noticed(service)
    assert service.gateway.admission.active == 1
    assert not service.server.server_state.connections
    assert service.connects().hears_end()[1] == 3009, "its place is taken while it is kept"
    assert eventually(service.is_idle)
    assert kept(service) == 0
    service.hang_up()
    assert eventually(lambda: psutil.Process().num_fds() <= descriptors)
    refusal = client.connects_again()
    assert refusal["error"] == "Session Not Resumable: no session is kept under this key (any more)"
    assert client.line.hears_end()[1:] == (4004, "See Error message for details")


def test_a_session_that_is_terminated_and_never_fetched_is_freed_after_the_window(start: Start) -> None:
    service = start(resume_window_s=WINDOW_S)
    client = ResumingClient(service)
    client.begins()
    client.sends(TERMINATE)
    client.is_cut()
    assert eventually(service.is_idle)
    assert client.connects_again()["error_code"] == 4004


def test_a_session_that_was_read_to_its_end_is_freed_at_once(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.sends(TERMINATE)
    client.hears_end()
    assert eventually(service.is_idle)
    assert client.connects_again()["error_code"] == 4004


def test_a_client_that_says_goodbye_is_not_waited_for(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.says(800)
    client.line.socket.close(1000)
    assert eventually(service.is_idle)
    assert client.connects_again()["error_code"] == 4004


def test_a_client_that_goes_away_in_any_other_way_is_waited_for(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.line.socket.close(1001)
    assert is_noticed(service)
    assert client.connects_again()["type"] == "Resumed"


@pytest.mark.parametrize("key", ["", "x", "y" * 43, "%ED%A0%80"])
def test_a_key_that_was_never_issued_opens_nothing(service: Service, key: str) -> None:
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    client.key = key
    assert client.connects_again(key=key or "%20")["error_code"] == 4004


def test_a_key_opens_its_own_session_and_no_other(service: Service) -> None:
    one, other = ResumingClient(service), ResumingClient(service)
    ids = [one.begins()["id"], other.begins()["id"]]
    assert one.key != other.key
    one.is_cut()
    other.is_cut()
    assert is_noticed(service, 2)
    assert [client.resumes()["id"] for client in (one, other)] == ids


def test_a_key_is_no_credential_for_anything_else(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    assert service.connects(key=client.key).hears_end()[1] == 1008
    assert service.connects(f"token={client.key}", key=None).hears_end()[1] == 1008


def test_a_count_that_is_none_is_refused_and_the_session_stays_kept(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    line = service.connects(f"resume_key={client.key}&messages_received=many", key=None)
    assert line.hears_end()[1] == 3006
    assert client.connects_again(received=50)["error_code"] == 4004
    assert client.connects_again()["type"] == "Resumed"


def test_a_server_that_was_restarted_knows_no_key_of_before(start: Start) -> None:
    client = ResumingClient(start())
    client.begins()
    client.is_cut()
    client.service = start()
    assert client.connects_again()["error_code"] == 4004


def test_the_oldest_messages_are_forgotten_where_too_many_are_not_acknowledged(start: Start) -> None:
    words = tuple(ScriptedWord("w" * 20_000, number * 50, number * 50 + 50) for number in range(240))
    service = start(Script(words, frame_ms=50))
    client = ResumingClient(service, "include_partial_turns=false")
    client.begins()
    for order in range(len(words)):
        client.sends(CHUNK)
        client.sends(FORCE)
        client.hears_until("Turn", turn_order=order)
    told = sum(len(str(message)) for message in client.told)
    assert told > MAX_KEPT_BYTES
    (conversation,) = service.gateway.conversations
    assert isinstance(conversation, ResumableConversation)
    assert conversation.kept_bytes <= MAX_KEPT_BYTES
    refusal = client.connects_again(received=1)
    assert refusal["error_code"] == 4004
    assert "messages are kept from number" in refusal["error"]
    assert client.connects_again()["type"] == "Resumed", "what the client lacks is kept"


# Time, endings and what an operator sees


def test_the_silence_of_a_lost_client_is_no_inactivity(start: Start) -> None:
    service = start(session=limits(inactivity_timeout_s=0.8))
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    client.line.socket.close()
    assert not eventually(lambda: kept(service) == 0, timeout_s=1.0)
    client.resumes()
    client.hears_end()
    assert client.told[-1]["error_code"] == 3006, "but once it is back its silence counts"
    assert "inactivity" in client.told[-1]["error"]


def test_a_kept_session_expires_at_its_time_and_says_so_to_who_comes_back(start: Start) -> None:
    service = start(session=limits(max_duration_s=1.5))
    client = ResumingClient(service)
    client.begins()
    client.says(1500)
    client.line.socket.ping().wait(5)
    client.is_cut()
    assert is_noticed(service)
    assert service.link is not None
    seats = service.link._seats
    assert eventually(lambda: not seats)
    client.resumes()
    code, _ = client.hears_end()
    assert code == 3008
    assert [turn["transcript"] for turn in client.told if turn.get("end_of_turn")] == ["hi my name is sonny"]


def test_a_server_that_stops_ends_the_sessions_it_keeps(start: Start) -> None:
    service = start()
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    service.stop()
    assert service.gateway.admission.active == 0
    assert not service.gateway.conversations


def test_a_server_that_stops_tells_who_is_there_and_keeps_nothing(start: Start) -> None:
    service = start()
    client = ResumingClient(service)
    client.begins()
    client.says(2000)
    client.line.socket.ping().wait(5)
    service.server.should_exit = True
    code, _ = client.hears_end()
    assert (client.told[-1]["error"], code) == ("Session Cancelled: The server is shutting down", 3005)
    service.stop()
    assert not service.gateway.conversations


def test_the_operator_sees_losses_resumes_and_refusals(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = start()
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    assert endings(service, 1006) + endings(service, 1005) == 1
    client.resumes()
    assert kept(service) == 0
    client.sends(TERMINATE)
    client.hears_end()
    client.connects_again()
    assert metric(service, "resumes_total", outcome="resumed") == 1
    assert eventually(lambda: metric(service, "resumes_total", outcome="refused") == 1)
    assert eventually(lambda: endings(service, 1000) == 1)
    assert endings(service, 4004) == 1
    ours = [record for record in caplog.records if record.name.startswith("tympan")]
    told = [record.getMessage() for record in ours]
    assert told == [
        "session began",
        "connection lost, session kept",
        "session resumed",
        "session ended",
        "session refused",
    ]
    assert client.key not in "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    assert client.key.encode() not in service.gateway.metrics.render()
