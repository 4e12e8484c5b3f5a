"""The legacy protocol as its clients meet it on the server."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from datetime import datetime
from typing import Any

import pytest
from running_service import CHUNK, KEY, Client, Service, Start, endings, eventually, limits

from tympan.engines.scripted import Script, ScriptedWord
from tympan.server.config import AuthConfig

V2 = "/v2/realtime/ws"
TOKEN = "/v2/realtime/token"

TWO_UTTERANCES = Script(
    (
        ScriptedWord("One,", 100, 300),
        ScriptedWord("two.", 700, 900),
        ScriptedWord("Three.", 1700, 1900),
    )
)
"""Pauses of 400 and 800 ms."""


def connects(service: Service, query: str = "sample_rate=16000", **options: Any) -> Client:
    return service.connects(query, path=V2, **options)


def told(messages: list[dict[str, Any]]) -> list[str]:
    """Kinds of messages in order, finals with their text."""
    return [
        message["text"] if message.get("message_type") == "FinalTranscript" else message.get("message_type", "error")
        for message in messages
        if message.get("message_type") != "PartialTranscript"
    ]


def finals(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages if message.get("message_type") == "FinalTranscript"]


def test_a_session_from_begin_to_end(service: Service) -> None:
    client = connects(service, "sample_rate=16000&enable_extra_session_information=True&word_boost=%5B%22Sonny%22%5D")
    begins = client.hears()
    assert begins["message_type"] == "SessionBegins"
    assert uuid.UUID(begins["session_id"]).version == 4
    assert datetime.fromisoformat(begins["expires_at"]).tzinfo is None
    client.says(2400)
    client.sends({"terminate_session": True})
    messages, code, _ = client.hears_end()
    assert told(messages) == ["Hi, my name is Sonny.", "SessionInformation", "SessionTerminated"]
    partials = [message["text"] for message in messages if message.get("message_type") == "PartialTranscript"]
    assert partials[-1] == "hi my name is sonny"
    assert all(partials)
    assert messages[-2]["audio_duration_seconds"] == 2.4
    assert code == 1000


def test_audio_may_be_base64_in_text(service: Service) -> None:
    client = connects(service)
    client.hears()
    for _ in range(30):
        client.sends({"audio_data": base64.b64encode(CHUNK).decode()})
    client.sends({"terminate_session": True})
    messages, code, _ = client.hears_end()
    assert told(messages) == ["Hi, my name is Sonny.", "SessionTerminated"]
    assert code == 1000


@pytest.mark.parametrize(
    ("silence_ms", "expected"),
    [
        (None, ["One, two.", "Three."]),
        (300, ["One,", "Two.", "Three."]),
        (0, ["One,", "Two.", "Three."]),
        (900, ["One, two. Three."]),
    ],
)
def test_the_silence_that_ends_an_utterance_is_the_clients(
    start: Start, silence_ms: int | None, expected: list[str]
) -> None:
    client = connects(start(TWO_UTTERANCES))
    client.hears()
    if silence_ms is not None:
        client.sends({"end_utterance_silence_threshold": silence_ms})
    client.says(2000)
    client.sends({"terminate_session": True})
    assert finals(client.hears_end()[0]) == expected


def test_an_utterance_can_be_forced_to_end(service: Service) -> None:
    client = connects(service, "sample_rate=16000&disable_partial_transcripts=true")
    client.hears()
    client.says(700)
    client.sends({"force_end_utterance": True})
    assert client.hears()["text"] == "Hi, my name"
    client.sends({"force_end_utterance": True})  # nothing is open: nothing happens
    client.says(800)
    client.sends({"terminate_session": True})
    assert told(client.hears_end()[0]) == ["Is Sonny.", "SessionTerminated"]


@pytest.mark.parametrize("key", ["wrong", None])
def test_a_wrong_key_is_4001(service: Service, key: str | None) -> None:
    messages, code, reason = connects(service, key=key).hears_end()
    assert told(messages) == ["error"]
    assert messages[0]["error"].startswith("Not Authorized: ")
    assert (code, reason) == (4001, "Not Authorized")
    assert endings(service, 4001) >= 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 4000),
        ("sample_rate=1", 4000),
        ("sample_rate=16000&word_boost=x", 4104),
        ("sample_rate=8000&encoding=x", 4101),
    ],
)
def test_a_bad_parameter_is_told_before_the_session_begins(service: Service, query: str, code: int) -> None:
    messages, actual, _ = connects(service, query).hears_end()
    assert (told(messages), actual) == (["error"], code)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", 4100),
        ("[]", 4101),
        ('{"type": "Terminate"}', 4101),
        ('{"audio_data": "a"}', 4101),
        (b"\0" * 352_000, 4033),
    ],
)
def test_a_bad_message_ends_the_session_with_its_code(service: Service, message: str | bytes, code: int) -> None:
    client = connects(service)
    client.hears()
    client.sends(message)
    messages, actual, _ = client.hears_end()
    assert (told(messages), actual) == (["error", "SessionTerminated"], code)


def test_more_audio_than_may_wait_is_4029(start: Start) -> None:
    client = connects(start(session=limits(max_backlog_ms=1000)))
    client.hears()
    client.sends(b"\0" * 64_000)
    messages, code, _ = client.hears_end()
    assert (told(messages), code) == (["error", "SessionTerminated"], 4029)


def test_one_session_too_many_is_4102(start: Start) -> None:
    service = start(max_sessions=1)
    connects(service).hears()
    messages, code, _ = connects(service).hears_end()
    assert (told(messages), code) == (["error"], 4102)


def test_the_longest_session_is_4008_after_its_last_words(start: Start) -> None:
    service = start(session=limits(max_duration_s=60))
    client = connects(service)
    client.hears()
    client.says(1400)
    assert service.has_received(1400)
    service.loop.passes(60)
    messages, code, reason = client.hears_end()
    assert told(messages) == ["Hi, my name is Sonny.", "error", "SessionTerminated"]
    assert (code, reason) == (4008, "Session Expired")


def test_many_short_messages_are_4032_on_a_strict_server(start: Start) -> None:
    client = connects(start(session=limits(is_strict=True)))
    client.hears()
    client.tries_to_send(*[b"\0" * 640] * 60)
    messages, code, _ = client.hears_end()
    assert (told(messages), code) == (["error", "SessionTerminated"], 4032)


def test_a_server_that_stops_tells_the_last_words_and_1013(start: Start) -> None:
    service = start()
    client = connects(service)
    client.hears()
    client.says(1400)
    assert client.hears()["text"] == "hi"  # the audio is there
    asyncio.run_coroutine_threadsafe(service.gateway.drain(5), service.loop)
    messages, code, _ = client.hears_end()
    assert told(messages)[-2:] == ["error", "SessionTerminated"]
    assert (finals(messages)[0].split()[0], code) == ("Hi,", 1013)


def test_a_token_of_either_protocol_opens_sessions_of_both(service: Service) -> None:
    headers = {"Authorization": KEY}
    old = service.answers(TOKEN, "POST", json={"expires_in": 360_000}, headers=headers)
    new = service.answers("/v3/token?expires_in_seconds=60", headers=headers)
    assert set(old.json()) == {"token"}
    for token in (old.json()["token"], new.json()["token"]):
        assert connects(service, f"sample_rate=16000&token={token}", key=None).hears()["session_id"]
        assert service.connects(f"token={token}", key=None).hears()["type"] == "Begin"


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        (None, b'{"expires_in": 60}', 401),
        ("wrong", b'{"expires_in": 60}', 401),
        (KEY, b'{"expires_in": 59}', 400),
        (KEY, b"", 400),
        (KEY, b"\xff", 400),
        (KEY, b" " * 20_000 + b'{"expires_in": 60}', 400),
    ],
)
def test_a_token_that_is_refused_says_why(service: Service, key: str | None, body: bytes, status: int) -> None:
    headers = {} if key is None else {"Authorization": key}
    answer = service.answers(TOKEN, "POST", content=body, headers=headers)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})


def test_without_authentication_no_key_is_needed(start: Start) -> None:
    service = start(auth=AuthConfig(is_open=True))
    assert connects(service, key=None).hears()["message_type"] == "SessionBegins"
    assert service.answers(TOKEN, "POST", json={"expires_in": 60}).status_code == 200


def test_garbage_of_all_kinds_leaves_the_server_idle(service: Service) -> None:
    for garbage in ("", "{", "null", '"x"', "[[", b"\xff", "\u0000", json.dumps({"audio_data": "=" * 1000})):
        client = connects(service)
        client.tries_to_send(garbage, {"terminate_session": True})
        client.hears_end()
    assert eventually(service.is_idle)
