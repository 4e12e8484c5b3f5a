"""The legacy protocol v2, where a service still has it (protocol reference, sections 7.2 and 8)."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from uuid import UUID

import pytest
from call import Call, Ended, Message, broken
from endpoint import Endpoint, Strictness
from own_servers import NEW_SESSIONS_PER_MINUTE, SESSIONS_PER_KEY, OwnServer
from talk import PROFANE_MS, SONNY_MS, TABLE_MS
from v2_rows import BAD_MESSAGES, BAD_PARAMETERS, RATE, V2_SHAPES, WORD

PATH = "/v2/realtime/ws"
CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
"""ISO 8601 without a zone."""


@pytest.fixture
def old(endpoint: Endpoint) -> Endpoint:
    """A service that still serves v2."""
    if not endpoint.is_ours and endpoint.handshake_status(f"{PATH}?{RATE}") != 101:
        pytest.skip("8: the service has retired v2")
    return endpoint


def begun(old: Endpoint, query: str = "") -> Call:
    call = old.calls(f"{RATE}&{query}" if query else RATE, path=PATH)
    message = call.hears("8.3: SessionBegins is the first message")
    if message.get("message_type") != "SessionBegins":
        broken("8.3: SessionBegins is the first message", str(message), call)
    return call


def says_goodbye(call: Call) -> Ended:
    call.sends({"terminate_session": True})
    ended = call.hears_end("8.3: terminate_session is answered by SessionTerminated and close code 1000")
    if ended.code != 1000 or ended.messages[-1].get("message_type") != "SessionTerminated":
        broken("8.3: SessionTerminated, then close code 1000", f"{ended.messages[-1]}; {ended}", call)
    return ended


def is_ended(ended: Ended, code: int, text: str, *, has_begun: bool) -> None:
    """Error, the words of which begin so, then SessionTerminated if the session had begun, then the code."""
    types = [message.get("message_type", "Error") for message in ended.messages]
    last = ["Error", "SessionTerminated"] if has_begun else ["Error"]
    error = next((message["error"] for message in ended.messages if "error" in message), "")
    if types[-len(last) :] != last or not str(error).startswith(text) or ended.code != code:
        broken(f"8.4: {last}, {text!r}…, close code {code}", f"{types[-3:]}, {error!r}, {ended}", ended.call)
    if not text.startswith(ended.reason):
        broken("8.4: the reason is the text", f"{ended}, text {error!r}", ended.call)


def of_type(call: Call, name: str) -> list[Message]:
    return [message for message in call.messages if message.get("message_type") == name]


@pytest.mark.parametrize("extra", ["false", "true"])
@pytest.mark.parametrize("has_partials", [True, False])
def test_a_session_is_what_old_clients_expect(old: Endpoint, extra: str, has_partials: bool) -> None:
    query = f"enable_extra_session_information={extra}&disable_partial_transcripts={not has_partials}"
    call = begun(old, query)
    call.plays(bytes(TABLE_MS * 32), chunk_bytes=100 * 32)
    says_goodbye(call)
    for message in call.messages:
        shape = V2_SHAPES[message["message_type"]]
        kinds = {name: type(value) for name, value in message.items() if name != "message_type"}
        if kinds != shape:
            broken(f"8.3: {message['message_type']} holds {shape}", str(kinds), call)
    types = [message["message_type"] for message in call.messages]
    ending = ["SessionInformation", "SessionTerminated"] if extra == "true" else ["SessionTerminated"]
    if types[-len(ending) :] != ending or types.count("SessionInformation") != len(ending) - 1:
        broken(f"8.3: the last messages are {ending}", str(types[-3:]), call)
    if old.is_ours and bool(of_type(call, "PartialTranscript")) is not has_partials:
        broken("8.1: disable_partial_transcripts", f"{types.count('PartialTranscript')} partials", call)


def test_the_session_id_is_a_uuid_of_version_4_and_times_have_no_zone(old: Endpoint) -> None:
    call = begun(old)
    begins = call.messages[0]
    says_goodbye(call)
    if UUID(begins["session_id"]).version != 4:
        broken("8.3: session_id is a UUID of version 4", begins["session_id"], call)
    if datetime.fromisoformat(begins["expires_at"]).tzinfo is not None:
        broken("8.3: expires_at has no zone", begins["expires_at"], call)


def test_transcripts_read_as_they_should(old: Endpoint) -> None:
    if not old.is_ours:
        pytest.skip("needs a service that plays what the suite knows")
    call = begun(old)
    call.plays(bytes(TABLE_MS * 32), chunk_bytes=100 * 32)
    says_goodbye(call)
    finals, partials = of_type(call, "FinalTranscript"), of_type(call, "PartialTranscript")
    assert [final["text"] for final in finals] == ["Hi, my name is Sonny.", "I would like to book a table."], (
        call.story()
    )
    assert all(final["punctuated"] and final["text_formatted"] for final in finals)
    for message in (*partials, *finals):
        words = message["words"]
        assert message["text"] == " ".join(word["text"] for word in words) != ""
        assert (message["audio_start"], message["audio_end"]) == (words[0]["start"], words[-1]["end"])
        assert [{name: type(value) for name, value in word.items()} for word in words] == [WORD] * len(words)
        assert CREATED.fullmatch(message["created"]), message["created"]
    assert all(partial["text"] == partial["text"].lower() for partial in partials)


def test_audio_may_come_as_base64_in_text(old: Endpoint) -> None:
    call = begun(old, "enable_extra_session_information=true")
    for _ in range(20):
        call.sends({"audio_data": base64.b64encode(bytes(100 * 32)).decode()})
    says_goodbye(call)
    if call.messages[-2]["audio_duration_seconds"] != 2.0:
        broken("8.2: audio_data is audio", str(call.messages[-2]), call)


def test_force_end_utterance_ends_it(old: Endpoint) -> None:
    if not old.is_ours:
        pytest.skip("needs a service that plays what the suite knows")
    call = begun(old, "disable_partial_transcripts=true")
    call.plays(bytes(1000 * 32), chunk_bytes=100 * 32)
    call.sends({"force_end_utterance": True})
    final = call.hears("8.2: force_end_utterance ends the utterance")
    if final.get("text") != "Hi, my name is":
        broken("8.2: force_end_utterance ends the utterance", str(final), call)
    says_goodbye(call)


def test_a_threshold_of_silence_may_come_at_any_time(old: Endpoint) -> None:
    if not old.is_ours:
        pytest.skip("needs a service that plays what the suite knows")
    finals = []
    for silence_ms in (300, 20_000):
        call = begun(old, "disable_partial_transcripts=true")
        call.sends({"end_utterance_silence_threshold": silence_ms})
        call.plays(bytes(PROFANE_MS * 32), chunk_bytes=100 * 32)
        says_goodbye(call)
        finals.append(len(of_type(call, "FinalTranscript")))
    if finals != [3, 1]:
        broken("8.2: an utterance ends after that much silence", f"{finals} finals with 300 and 20000 ms")


@pytest.mark.parametrize(("query", "code", "text"), BAD_PARAMETERS.values(), ids=BAD_PARAMETERS)
def test_a_bad_parameter_ends_with_its_code(old: Endpoint, query: str, code: int, text: str) -> None:
    is_ended(old.calls(query, path=PATH).hears_end(), code, text, has_begun=False)


@pytest.mark.parametrize("query", ["encoding=pcm_mulaw", 'word_boost=["Sonny"]', "colour=blue"])
def test_a_good_parameter_begins_a_session(old: Endpoint, query: str) -> None:
    says_goodbye(begun(old, query))


@pytest.mark.parametrize(("message", "code", "text"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_bad_message_ends_with_its_code(old: Endpoint, message: str, code: int, text: str) -> None:
    call = begun(old)
    call.sends(message)
    is_ended(call.hears_end(), code, text, has_begun=True)


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_wrong_key_is_4001(old: Endpoint, key: str | None) -> None:
    is_ended(old.calls(RATE, path=PATH, key=key).hears_end(), 4001, "Not Authorized", has_begun=False)


def test_a_long_message_is_4033(old: Endpoint) -> None:
    call = begun(old)
    call.sends(bytes(11_000 * 32))
    is_ended(call.hears_end(), 4033, "Audio duration is too long", has_begun=True)


def test_a_short_message_is_4032_when_strict(old: Endpoint) -> None:
    if old.strictness is not Strictness.STRICT:
        pytest.skip("8.2: of strict services")
    call = begun(old)
    call.plays(bytes(2000 * 32), chunk_bytes=10 * 32)
    is_ended(call.hears_end(), 4032, "Audio duration is too short", has_begun=True)


def test_more_audio_than_may_wait_is_4029(limited: Endpoint) -> None:
    call = begun(limited)
    call.sends(bytes(2000 * 32))
    is_ended(call.hears_end(), 4029, "Client sent audio too fast", has_begun=True)


def test_one_session_too_many_is_4102(limited: Endpoint) -> None:
    first = begun(limited)
    text = "This account has exceeded the number of allowed streams"
    is_ended(limited.calls(RATE, path=PATH).hears_end(), 4102, text, has_begun=False)
    says_goodbye(first)


def test_a_key_that_opens_too_much_is_4102(counting: Endpoint) -> None:
    """Too many at once, and too many in a minute."""
    text = "This account has exceeded the number of allowed streams"
    for limit, key in ((SESSIONS_PER_KEY, "a-fourth-key"), (NEW_SESSIONS_PER_MINUTE, "a-fifth-key")):
        for _ in range(limit):
            call = counting.calls(RATE, path=PATH, key=key)
            call.hears("8.3: SessionBegins")
            if limit is NEW_SESSIONS_PER_MINUTE:
                says_goodbye(call)
        is_ended(counting.calls(RATE, path=PATH, key=key).hears_end(), 4102, text, has_begun=False)


def test_a_server_fault_is_1011_after_session_terminated(failing: OwnServer) -> None:
    call = begun(failing.endpoint)
    call.sends(bytes(200 * 32))
    is_ended(call.hears_end(), 1011, "An error occurred", has_begun=True)


def test_a_server_that_stops_is_1013_after_session_terminated(stopping: OwnServer) -> None:
    call = begun(stopping.endpoint)
    stopping.is_asked_to_stop()
    text = "Temporary server condition forced blocking client's request"
    is_ended(call.hears_end(), 1013, text, has_begun=True)


def test_an_idle_client_is_let_go_with_4031(impatient: Endpoint) -> None:
    is_ended(begun(impatient).hears_end(), 4031, "Session idle for too long", has_begun=True)


def test_the_longest_session_is_4008_after_its_last_words(brief: Endpoint) -> None:
    call = begun(brief, "disable_partial_transcripts=true")
    call.plays(bytes(SONNY_MS * 32), chunk_bytes=100 * 32)
    is_ended(call.hears_end(), 4008, "Session Expired", has_begun=True)
    assert [final["text"] for final in of_type(call, "FinalTranscript")][:1] == ["Hi, my name is Sonny."], call.story()


def test_a_token_of_v2_opens_a_session(old: Endpoint) -> None:
    body = json.dumps({"expires_in": 60})
    answer = old.asks("/v2/realtime/token", method="POST", headers={"Authorization": old.key}, body=body)
    if answer.status != 200 or not isinstance(answer.body.get("token"), str):
        broken("7.2: 200 {token}", f"HTTP {answer.status} {answer.text[:200]}")
    call = old.calls(f"{RATE}&token={answer.body['token']}", path=PATH, key=None)
    call.hears("8.1: a token opens a session")
    says_goodbye(call)


@pytest.mark.parametrize("body", ["", "{}", '{"expires_in": 59}', '{"expires_in": "60"}', "[]"])
def test_a_bad_request_for_a_token_of_v2_is_400(old: Endpoint, body: str) -> None:
    answer = old.asks("/v2/realtime/token", method="POST", headers={"Authorization": old.key}, body=body)
    if answer.status != 400 or not isinstance(answer.body.get("error"), str):
        broken("7.2: 400 {error}", f"HTTP {answer.status} {answer.text[:200]}")


def test_no_token_of_v2_without_a_key(old: Endpoint) -> None:
    answer = old.asks("/v2/realtime/token", method="POST", body='{"expires_in": 60}')
    if answer.status != 401:
        broken("7.2: 401 without a key", f"HTTP {answer.status}")
