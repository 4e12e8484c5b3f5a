"""Every refusal and close code of the protocol, as a client meets it."""

from __future__ import annotations

import asyncio
import time

import pytest
from running_service import KEY, PATIENCE_S, SONNY, Service, Start, StuckRecognizer, endings, eventually, limits
from websockets.exceptions import InvalidStatus

from tympan.core.errors import EngineError
from tympan.engines.scripted import ScriptedRecognizer, ScriptedStream
from tympan.server.config import AuthConfig, NetworkConfig

SEE_ERROR = "See Error message for details"


def refusal(service: Service, query: str = "", *, key: str | None = KEY) -> tuple[int, str]:
    """Code and text of a connection that is refused before its session begins."""
    messages, code, reason = service.connects(query, key=key).hears_end()
    assert [message["type"] for message in messages] == ["Error"]
    assert messages[0]["error_code"] == code
    assert reason == SEE_ERROR
    return code, messages[0]["error"]


def ending(service: Service, *sent: str | bytes, query: str = "") -> tuple[int, str]:
    """Code and text of a session that ends with an error after these messages."""
    client = service.connects(query)
    assert client.hears()["type"] == "Begin"
    for message in sent:
        client.sends(message)
    messages, code, reason = client.hears_end()
    assert [message["type"] for message in messages] == ["Error"]
    assert messages[0]["error_code"] == code
    assert reason == SEE_ERROR
    return code, messages[0]["error"]


@pytest.mark.parametrize("key", [KEY, "another-key", f"Bearer {KEY}", f"bearer {KEY}", f"token {KEY}"])
def test_a_key_opens_a_session_however_it_is_written(service: Service, key: str) -> None:
    assert service.connects(key=key).hears()["type"] == "Begin"


def test_a_missing_credential_is_1008(service: Service) -> None:
    expected = (1008, "Unauthorized Connection: Missing Authorization header")
    assert refusal(service, key=None) == expected
    assert refusal(service, key="") == expected
    assert refusal(service, "token=", key=None) == expected


@pytest.mark.parametrize(
    "key",
    ["wrong", KEY + "x", KEY[:-1], "Bearer", "Bearer wrong", "a.b.c", "ключ".encode().decode("latin-1")],
)
def test_a_wrong_key_is_1008(service: Service, key: str) -> None:
    assert refusal(service, key=key) == (1008, "Unauthorized Connection: Invalid API key")
    assert service.gateway.admission.active == 0


def test_a_temporary_token_opens_sessions_from_the_query_and_the_header(service: Service) -> None:
    token = service.gateway.mint.mint(expires_in_s=60, max_session_s=60)
    for client in (service.connects(f"token={token}", key=None), service.connects(key=token)):
        assert client.hears()["expires_at"] <= time.time() + 60


def test_an_expired_token_is_told_so(service: Service) -> None:
    token = service.gateway.mint.mint(expires_in_s=-1, max_session_s=60)
    assert refusal(service, f"token={token}", key=None) == (
        1008,
        "Unauthorized Connection: Signature has expired",
    )


def test_a_token_of_another_server_is_refused(service: Service, start: Start) -> None:
    other = start(auth=AuthConfig(api_keys=(KEY,), token_secret="another secret of the tests"))
    token = other.gateway.mint.mint(expires_in_s=60, max_session_s=60)
    assert refusal(service, f"token={token}", key=None)[1] == "Unauthorized Connection: Invalid API key"


def test_a_single_use_token_opens_one_session(start: Start) -> None:
    service = start(auth=AuthConfig(token_secret="secret of the tests", has_single_use_tokens=True))
    token = service.gateway.mint.mint(expires_in_s=60, max_session_s=60)
    assert service.connects(f"token={token}", key=None).hears()["type"] == "Begin"
    assert refusal(service, f"token={token}", key=None)[0] == 1008


@pytest.mark.parametrize("key", [None, "self-hosted", "Bearer x"])
def test_without_authentication_anything_goes(start: Start, key: str | None) -> None:
    service = start(auth=AuthConfig(is_open=True))
    assert service.connects(key=key).hears()["type"] == "Begin"


def test_who_asks_is_judged_before_what_is_asked(service: Service) -> None:
    assert refusal(service, "sample_rate=7", key="wrong")[0] == 1008


def test_a_bad_parameter_is_3006_before_begin(service: Service) -> None:
    code, text = refusal(service, "sample_rate=7000")
    assert code == 3006
    assert text.startswith("User Input Validation Error: Invalid 'sample_rate': ")


@pytest.mark.parametrize("message", ["", "hello", "[]", "7", "{}", '{"type": "Sing"}', '{"type": 7}', "{" * 5000])
def test_garbage_as_text_is_3006(service: Service, message: str) -> None:
    code, text = ending(service, message)
    assert code == 3006
    assert text.startswith("User Input Validation Error: ")


def test_a_bad_update_is_3006(service: Service) -> None:
    code, text = ending(service, '{"type": "UpdateConfiguration", "vad_threshold": "loud"}')
    assert (code, "vad_threshold" in text) == (3006, True)


def test_a_chunk_that_is_too_long_is_3007(service: Service) -> None:
    code, text = ending(service, b"\0" * 352_000)
    assert code == 3007
    assert text.startswith("Input Duration Error: Input Duration Violation: 11000.0 ms.")


def test_more_audio_than_may_wait_is_3007(start: Start) -> None:
    code, text = ending(start(session=limits(max_backlog_ms=1000)), b"\0" * 64_000)
    assert code == 3007
    assert text.startswith("Audio Transmission Rate Exceeded: ")


def test_inactivity_is_3006(start: Start) -> None:
    code, text = ending(start(session=limits(inactivity_timeout_s=0.2)))
    assert code == 3006
    assert text.startswith("Session terminated due to inactivity: No messages received for 0.2 seconds")


def test_the_longest_session_is_3008_after_its_last_words(start: Start) -> None:
    service = start(session=limits(max_duration_s=60))
    client = service.connects()
    client.hears()
    client.says(1400)
    assert service.has_received(1400)
    service.loop.passes(60)
    messages, code, _ = client.hears_end()
    assert [message["transcript"] for message in messages if message.get("end_of_turn")] == ["hi my name is sonny"]
    assert messages[-1]["error"] == "Session Expired: Maximum session duration exceeded"
    assert (code, messages[-1]["error_code"]) == (3008, 3008)


def test_one_session_too_many_is_3009_until_another_ends(start: Start) -> None:
    service = start(max_sessions=1)
    first = service.connects()
    first.hears()
    assert refusal(service) == (3009, "Unauthorized Connection: Too many concurrent sessions")
    first.sends({"type": "Terminate"})
    first.hears_end()
    assert service.connects().hears()["type"] == "Begin"


class FailingStream(ScriptedStream):
    """An engine that fails at the first audio."""

    def step(self) -> None:
        if self._accepted_samples:
            raise EngineError("failing", "the secret of the inside")


class FailingRecognizer(ScriptedRecognizer):
    name = "failing"

    def open_stream(self, options: object) -> FailingStream:
        return FailingStream(SONNY)


class UnopenableRecognizer(ScriptedRecognizer):
    def open_stream(self, options: object) -> ScriptedStream:
        raise MemoryError("the secret of the inside")


def test_an_engine_that_fails_is_3005_without_its_detail(start: Start) -> None:
    service = start(recognizer=FailingRecognizer(SONNY))
    assert ending(service, b"\0" * 3200) == (3005, "Session Cancelled: An error occurred")


def test_a_stream_that_can_not_be_opened_is_3005(start: Start) -> None:
    service = start(recognizer=UnopenableRecognizer(SONNY))
    assert refusal(service) == (3005, "Session Cancelled: An error occurred")
    assert service.gateway.admission.active == 0


def test_a_message_that_is_too_big_is_1009_and_its_sender_is_told_so(start: Start) -> None:
    service = start(network=NetworkConfig(max_message_bytes=100_000))
    client = service.connects()
    client.hears()
    client.tries_to_send(b"\0" * 10_000_000)
    assert client.hears_end()[1] == 1009
    assert eventually(lambda: endings(service, 1009) == 1)
    assert eventually(service.is_idle)


def test_text_that_is_no_utf_8_is_1007(service: Service) -> None:
    client = service.connects()
    client.hears()
    client.socket.send(b"\xff\xfe", text=True)
    assert client.hears_end()[1] == 1007


@pytest.mark.parametrize(("path", "status"), [("/v2/realtime/token", 404), ("/v3/w", 404), ("/v3/ws/health", 404)])
def test_other_paths_refuse_the_upgrade(service: Service, path: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        service.connects(path=path)
    assert refused.value.response.status_code == status


def test_a_server_that_loads_refuses_the_upgrade_with_503(start: Start) -> None:
    service = start(is_loaded=False)
    with pytest.raises(InvalidStatus) as refused:
        service.connects()
    assert refused.value.response.status_code == 503


def test_a_server_that_stops_does_not_wait_for_a_stuck_engine(start: Start) -> None:
    recognizer = StuckRecognizer()
    service = start(recognizer=recognizer)
    client = service.connects()
    client.hears()
    client.says(100)
    draining = asyncio.run_coroutine_threadsafe(service.gateway.drain(0.1), service.loop)
    messages, code, _ = client.hears_end()
    recognizer.is_released.set()
    draining.result(PATIENCE_S)
    assert messages[-1]["error"] == "Session Cancelled: The server is shutting down"
    assert code == 3005
    assert service.answers("/v3/ws/health").json()["status"] == "stopping"
