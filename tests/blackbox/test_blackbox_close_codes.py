"""The close-code table (protocol reference, section 4.12): what our own server can be brought to by its settings.

What any service can be brought to is checked where it belongs; `CLOSE_CODES` says where each row is.
"""

from __future__ import annotations

import pytest
from call import Call, broken
from endpoint import Endpoint
from own_servers import NEW_SESSIONS_PER_MINUTE, SESSIONS_PER_KEY, OwnServer

_HERE = "test_blackbox_close_codes"
CLOSE_CODES = {
    (1000, "after `Termination`"): ("test_blackbox_rules", "test_a_session_keeps_the_rule"),
    (1008, "no credential, or not a valid one"): ("test_blackbox_auth", "test_a_wrong_key_is_1008"),
    (1008, "the key has begun `max_new_sessions_per_minute`"): (_HERE, "test_one_new_session_too_many_is_1008"),
    (1009, "a WebSocket message too long"): (_HERE, "test_a_websocket_message_too_long_is_1009"),
    (3005, "the server shuts down"): (_HERE, "test_a_server_that_stops_tells_last_words_and_3005"),
    (3005, "the server failed; details in its log"): (_HERE, "test_a_server_fault_is_3005_and_tells_nothing_of_itself"),
    (3006, "compressed audio that can't be read"): (
        "test_blackbox_audio",
        "test_compressed_audio_that_is_none_is_3006",
    ),
    (3006, "a bad parameter, bad JSON or a bad message"): (
        "test_blackbox_parameters",
        "test_a_bad_value_is_3006_before_begin",
    ),
    (3006, "nothing came for `inactivity_timeout`"): (
        "test_blackbox_timers",
        "test_a_client_that_says_nothing_is_let_go_with_3006",
    ),
    (3007, "a binary message too long or too short"): (
        "test_blackbox_audio",
        "test_a_chunk_above_10_s_is_3007_everywhere",
    ),
    (3007, "too much audio waits to be judged"): (_HERE, "test_more_audio_than_may_wait_is_3007"),
    (3008, "`expires_at` has come"): (
        "test_blackbox_timers",
        "test_the_longest_session_ends_with_its_last_words_and_3008",
    ),
    (3009, "the key holds `max_sessions_per_key`"): (_HERE, "test_one_session_of_a_key_too_many_is_3009"),
    (3009, "the server is full"): (_HERE, "test_one_session_too_many_is_3009_until_another_ends"),
    (4004, "the session to resume isn't kept (any more)"): ("test_blackbox_resume", "test_a_key_of_no_session_is_4004"),
    (4103, "another connection resumed the session"): (
        "test_blackbox_resume",
        "test_a_connection_that_another_replaces_is_4103",
    ),
}
"""The module and the test of each row; a test of the suite holds the rows against the reference."""


def begun(endpoint: Endpoint, query: str = "") -> Call:
    call = endpoint.calls(query)
    call.hears_begin()
    return call


def test_one_session_too_many_is_3009_until_another_ends(limited: Endpoint) -> None:
    first = begun(limited)
    text = "Unauthorized Connection: Too many concurrent sessions"
    limited.calls().hears_end().must_be(3009, text, "4.12: too many sessions are 3009", is_before_begin=True)
    first.terminates()
    begun(limited).terminates()


def test_one_session_of_a_key_too_many_is_3009(counting: Endpoint) -> None:
    for _ in range(SESSIONS_PER_KEY):
        counting.calls(key="another-key").hears_begin()
    text = "Unauthorized Connection: Too many concurrent sessions"
    says = "4.12: too many sessions of a key are 3009"
    counting.calls(key="another-key").hears_refusal(says).must_be(3009, text, says, is_before_begin=True)
    begun(counting).terminates()


def test_one_new_session_too_many_is_1008(counting: Endpoint) -> None:
    for _ in range(NEW_SESSIONS_PER_MINUTE):
        call = counting.calls(key="a-third-key")
        call.hears_begin()
        call.terminates()
    says, text = "4.12: too many new sessions of a key are 1008", "Unauthorized Connection: Too many new sessions"
    counting.calls(key="a-third-key").hears_refusal(says).must_be(1008, text, says, is_before_begin=True)


def test_a_refused_session_takes_no_place(limited: Endpoint) -> None:
    limited.calls("sample_rate=7").hears_end().must_be(3006, "User Input", "2.1: a bad value")
    limited.calls(key="wrong").hears_end().must_be(1008, "Unauthorized Connection", "1.1: a wrong key")
    begun(limited).terminates()


def test_more_audio_than_may_wait_is_3007(limited: Endpoint) -> None:
    call = begun(limited)
    call.sends(bytes(2000 * 32))
    call.hears_end().must_be(3007, "Audio Transmission Rate Exceeded: ", "3: a backlog above the limit is 3007")


@pytest.mark.parametrize("payload", [b"\0" * 200_001, "x" * 200_001], ids=["binary", "text"])
def test_a_websocket_message_too_long_is_1009(limited: Endpoint, payload: bytes | str) -> None:
    call = begun(limited)
    call.sends(payload)
    ended = call.hears_end()
    if ended.code != 1009:
        broken("docs/reference/protocol.md: a message longer than max_message_bytes is 1009", str(ended), call)


def test_a_server_fault_is_3005_and_tells_nothing_of_itself(failing: OwnServer) -> None:
    call = begun(failing.endpoint)
    call.plays(bytes(100 * 32))
    error = call.hears_end().must_be(3005, "Session Cancelled: An error occurred", "4.12: an internal error is 3005")
    if error["error"] != "Session Cancelled: An error occurred":
        broken("4.12: the text of a fault is constant", str(error), call)
    begun(failing.endpoint).terminates()


def test_a_server_that_stops_tells_last_words_and_3005(stopping: OwnServer) -> None:
    call = begun(stopping.endpoint)
    call.plays(bytes(1000 * 32))
    call.hears("4.3: partials come")
    stopping.is_asked_to_stop()
    call.hears_end().must_be(3005, "Session Cancelled: ", "docs/reference/protocol.md: the server shuts down, 3005")
    finals = [turn["transcript"] for turn in call.messages if turn.get("end_of_turn")]
    if len(finals) != 1 or not finals[0].startswith("hi"):
        broken("docs/reference/protocol.md: a server that stops tells last words", f"finals {finals}", call)
