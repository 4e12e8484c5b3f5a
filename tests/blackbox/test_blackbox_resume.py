"""The resume extension of our own server (docs/reference/protocol.md, Resuming); others ignore what asks for it."""

from __future__ import annotations

import pytest
from call import Call, broken
from endpoint import Endpoint
from talk import SONNY_MS

NOT_RESUMABLE = "Session Not Resumable: "


@pytest.fixture
def resuming(endpoint: Endpoint) -> Endpoint:
    """A service that knows the extension."""
    if not endpoint.is_ours:
        pytest.skip("of tympan alone")
    return endpoint


def begun(resuming: Endpoint) -> tuple[Call, str]:
    """A resumable session, and its key."""
    call = resuming.calls("resumable=true&format_turns=true&include_partial_turns=false")
    begin = call.hears_begin()
    if not isinstance(begin.get("resume_key"), str) or not isinstance(begin.get("resume_window_seconds"), int):
        broken("Resuming: Begin holds resume_key and resume_window_seconds", str(begin), call)
    return call, begin["resume_key"]


def test_who_does_not_ask_sees_nothing_of_it(resuming: Endpoint) -> None:
    call = resuming.calls()
    call.plays(bytes(SONNY_MS * 32))
    call.terminates()
    if "resume_key" in call.messages[0] or any(message["type"] == "Checkpoint" for message in call.messages):
        broken("Resuming: a client that doesn't ask for it sees nothing of it", "it does", call)


def test_a_session_goes_on_over_another_connection_without_loss(resuming: Endpoint) -> None:
    first, key = begun(resuming)
    first.plays(bytes(1000 * 32))
    second = resuming.calls(f"resume_key={key}&messages_received=1", key=None)
    resumed = second.hears("Resuming: Resumed is the first message")
    where = (resumed["type"], resumed["id"], resumed["audio_received_bytes"] % 1600)
    if where != ("Resumed", first.messages[0]["id"], 0):
        broken("Resuming: Resumed tells the session and how much audio came", str(resumed), second)
    second.plays(bytes(SONNY_MS * 32 - resumed["audio_received_bytes"]))
    second.terminates()
    told = [turn["transcript"] for turn in second.messages if turn.get("turn_is_formatted")]
    if told != ["Hi, my name is Sonny."]:
        broken("Resuming: nothing is lost and nothing is doubled", str(told), second)


def test_a_connection_that_another_replaces_is_4103(resuming: Endpoint) -> None:
    first, key = begun(resuming)
    second = resuming.calls(f"resume_key={key}&messages_received=1", key=None)
    second.hears("Resuming: Resumed is the first message")
    first.hears_end().must_be(
        4103, "Session Resumed Elsewhere", "Resuming: a connection that hangs is closed with 4103"
    )
    second.terminates()


@pytest.mark.parametrize("key", ["nothing", ""])
def test_a_key_of_no_session_is_4004(resuming: Endpoint, key: str) -> None:
    ended = resuming.calls(f"resume_key={key}").hears_end()
    ended.must_be(4004, NOT_RESUMABLE, "Resuming: a session that isn't kept is 4004", is_before_begin=True)


def test_a_session_that_is_over_and_read_is_4004(resuming: Endpoint) -> None:
    call, key = begun(resuming)
    call.terminates()
    call.hangs_up()
    ended = resuming.calls(f"resume_key={key}").hears_end()
    ended.must_be(4004, NOT_RESUMABLE, "Resuming: a session over and read is 4004", is_before_begin=True)


@pytest.mark.parametrize("count", ["", "-1", "many", "1.5"])
def test_a_count_of_messages_that_is_none_is_3006(resuming: Endpoint, count: str) -> None:
    call, key = begun(resuming)
    ended = resuming.calls(f"resume_key={key}&messages_received={count}").hears_end()
    ended.must_be(3006, "User Input Validation Error: Invalid 'messages_received'", "Resuming: a count that is none")
    call.terminates()


def test_acknowledge_is_not_answered(resuming: Endpoint) -> None:
    call, _ = begun(resuming)
    call.sends({"type": "Acknowledge", "messages": 1})
    call.terminates()


def test_acknowledge_is_unknown_to_who_did_not_ask_for_resuming(resuming: Endpoint) -> None:
    call = resuming.calls()
    call.hears_begin()
    call.sends({"type": "Acknowledge", "messages": 1})
    text = "User Input Validation Error: Invalid Message Type: Acknowledge"
    call.hears_end().must_be(3006, text, "3: an unknown type is 3006")
