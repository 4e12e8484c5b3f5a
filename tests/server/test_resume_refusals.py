"""What is offered to whom, and what isn't kept: such a session is refused, and holds nothing."""

from __future__ import annotations

import socket

import pytest
from resuming_client import FORCE, TERMINATE, ResumingClient, is_noticed, kept, unread_end
from running_service import CHUNK, Service, Start, eventually

from open_things import open_things
from tympan.core.kept_messages import MAX_KEPT_BYTES
from tympan.engines.scripted import Script, ScriptedWord
from tympan.server.resumable import ResumableConversation

WINDOW_S = 30.0


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


# What isn't kept


def test_after_the_window_everything_is_free_and_the_key_opens_nothing(start: Start) -> None:
    service = start(resume_window_s=WINDOW_S, max_sessions=1)
    service.connects().socket.close()
    assert eventually(service.is_idle)
    before = open_things()
    client = ResumingClient(service)
    client.begins()
    client.says(800)
    client.is_cut()
    assert is_noticed(service)
    assert service.gateway.admission.active == 1
    assert not service.server.server_state.connections
    assert service.connects().hears_end()[1] == 3009, "its place is taken while it is kept"
    service.loop.passes(WINDOW_S)
    assert eventually(service.is_idle)
    assert kept(service) == 0
    service.hang_up()
    assert eventually(lambda: not open_things() - before), f"left behind: {open_things() - before}"
    refusal = client.connects_again()
    assert refusal["error"] == "Session Not Resumable: no session is kept under this key (any more)"
    assert client.line.hears_end()[1:] == (4004, "See Error message for details")


def test_a_session_that_is_terminated_and_never_fetched_is_freed_after_the_window(start: Start) -> None:
    service = start(resume_window_s=WINDOW_S)
    with unread_end(service, TERMINATE) as client:
        service.loop.passes(WINDOW_S)
        assert eventually(service.is_idle)
    assert client.connects_again()["error_code"] == 4004


def test_a_session_that_was_read_to_its_end_is_freed_at_once(service: Service) -> None:
    client = ResumingClient(service)
    client.begins()
    client.sends(TERMINATE)
    client.hears_end()
    assert eventually(service.is_idle)
    assert client.connects_again()["error_code"] == 4004


@pytest.mark.parametrize("code", [1000, 1005])
def test_a_client_that_says_goodbye_is_not_waited_for(service: Service, code: int) -> None:
    client = ResumingClient(service)
    client.begins()
    client.says(800)
    if code == 1000:
        client.line.socket.close(code)
    else:
        client.line.socket.socket.sendall(b"\x88\x80\0\0\0\0")  # as a browser's close() does
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
