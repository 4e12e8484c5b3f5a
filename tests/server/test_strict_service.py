"""A strict server refuses what the hosted service refuses, with its codes and texts (protocol reference, 1.1 to 8.4).

Beside each refusal stands what an ordinary server does with the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from running_service import CHUNK, KEY, Client, Service, Start, eventually, limits, make_service

INVALID = "User Input Validation Error: "
SECOND = b"\0" * 32_000
V2 = "/v2/realtime/ws"


@pytest.fixture(scope="module")
def shared_strict() -> Iterator[Service]:
    with make_service(session=limits(is_strict=True)) as service:
        yield service


@pytest.fixture
def strict(shared_strict: Service) -> Iterator[Service]:
    """A strict server; the next test finds it idle again."""
    with shared_strict.lent():
        yield shared_strict


def ending(client: Client) -> tuple[int, str]:
    """Code and text of the end."""
    messages, code, _ = client.hears_end()
    errors = [message["error"] for message in messages if "error" in message]
    assert len(errors) == 1, messages
    return code, errors[0]


def goes_on(client: Client) -> bool:
    """The session is alive and ends gracefully when asked to."""
    v3, v2 = {"type": "Terminate"}, {"terminate_session": True}
    client.sends(v3 if "type" in (client.heard or [client.hears()])[0] else v2)
    return client.hears_end()[1] == 1000


def array(items: list[str]) -> str:
    """A list as a parameter of the address."""
    return quote(json.dumps(items))


def begun(service: Service, query: str = "", **options: Any) -> Client:
    client = service.connects(query, **options)
    assert "error" not in client.hears()
    return client


# Who asks


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token"])
def test_a_key_behind_a_scheme_opens_no_session(strict: Service, service: Service, scheme: str) -> None:
    credential = f"{scheme} {KEY}"
    assert ending(strict.connects(key=credential)) == (1008, "Unauthorized Connection: Invalid API key")
    assert begun(service, key=credential)


def test_a_key_and_a_token_alone_open_sessions(strict: Service) -> None:
    token = strict.gateway.mint.mint(expires_in_s=60, max_session_s=60)
    for query, key in (("", KEY), ("", token), (f"token={token}", None)):
        begun(strict, query, key=key)


# What is asked


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("sample_rate=7000", "Invalid 'sample_rate': sample_rate must be at least 8,000 Hz"),
        ("encoding=flac", "Invalid 'encoding': 'flac' is not a valid Encoding"),
        ("end_of_turn_confidence_threshold=1.01", "Invalid 'end_of_turn_confidence_threshold': "),
        ("max_turn_silence=0", "Invalid 'max_turn_silence': "),
        ("vad_threshold=-0.1", "Invalid 'vad_threshold': "),
        ("inactivity_timeout=4", "Invalid 'inactivity_timeout': "),
        ("inactivity_timeout=3601", "Invalid 'inactivity_timeout': "),
        ("speech_model=u3-rt-pro&interruption_delay=1001", "Invalid 'interruption_delay': "),
        ("speech_model=u3-rt-pro&previous_context_n_turns=101", "Invalid 'previous_context_n_turns': "),
        ("speech_model=u3-rt-pro&mode=fast", "Invalid 'mode': 'fast' is not a valid Mode"),
        ("max_speakers=11", "Invalid 'max_speakers': "),
        ("speech_model=my-model", "Invalid 'speech_model': 'my-model' is not a valid SpeechModel; allowed: universal-"),
        ("speech_model=u3-pro", "Invalid 'speech_model': 'u3-pro' is not a valid SpeechModel; allowed: universal-"),
        ("mode=balanced", "Invalid 'mode': not supported by this speech model"),
        ("prompt=hi", "Invalid 'prompt': not supported by this speech model"),
        ("agent_context=hi", "Invalid 'agent_context': not supported by this speech model"),
        ("speech_model=u3-rt-pro&prompt=" + "a" * 1751, "Invalid 'prompt': Max 1750 characters, got 1751"),
        ("keyterms_prompt=" + array(["a"] * 101), "Invalid 'keyterms_prompt': Max 100 items"),
        ('keyterms_prompt=["a"]&keyterms_prompt=["b"]', "Invalid 'keyterms_prompt': Invalid JSON array"),
        ("keyterms_prompt=a,b", "Invalid 'keyterms_prompt': Invalid JSON array"),
        ('language_codes=["tlh"]', "Invalid 'language_codes.0': 'tlh' is not a valid language code"),
        ('language_codes=["en","multi"]', "Invalid 'language_codes': 'multi' must be the only item"),
        ("filter_profanity=perhaps", "Invalid 'filter_profanity': 'perhaps' is not a boolean"),
    ],
)
def test_a_parameter_that_the_hosted_service_refuses_is_3006_before_begin(
    strict: Service, query: str, text: str
) -> None:
    code, told = ending(strict.connects(query))
    assert (code, told[: len(INVALID + text)]) == (3006, INVALID + text)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sample_ratte=7",
        "min_turn_silence=10001",
        "speech_model=u3-rt-pro&mode=min_latency&prompt=hi&agent_context=hi",
        "speech_model=universal-streaming-english&continuous_partials=true&interruption_delay=100",
        "keyterms_prompt=" + array(["a" * 51, "b"]),
        "keyterms_prompt=",
        "format_turns=True",
    ],
)
def test_what_the_hosted_service_takes_is_taken(strict: Service, query: str) -> None:
    assert goes_on(begun(strict, query))


# What is said


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("hello", "Invalid JSON: "),
        ("[]", "Invalid Message: "),
        ("{}", "Invalid Message: "),
        ('{"type": "Sing"}', "Invalid Message Type: Sing"),
        ('{"type": "Acknowledge", "messages": 1}', "Invalid Message Type: Acknowledge"),
        ('{"type": "UpdateConfiguration", "vad_threshold": 1.5}', "Invalid 'vad_threshold': "),
        ('{"type": "UpdateConfiguration", "vad_threshold": "loud"}', "Invalid 'vad_threshold': "),
        ('{"type": "UpdateConfiguration", "max_turn_silence": 0}', "Invalid 'max_turn_silence': "),
        (
            '{"type": "UpdateConfiguration", "mode": "balanced"}',
            "Invalid 'mode': not supported by this speech model",
        ),
        (
            json.dumps({"type": "UpdateConfiguration", "keyterms_prompt": ["a"] * 101}),
            "Invalid 'keyterms_prompt': Max 100 items",
        ),
    ],
)
def test_a_message_that_the_hosted_service_refuses_is_3006(strict: Service, message: str, text: str) -> None:
    client = begun(strict)
    client.sends(message)
    code, told = ending(client)
    assert (code, told[: len(INVALID + text)]) == (3006, INVALID + text)


def test_a_context_that_is_too_long_is_fatal_in_mid_session(strict: Service) -> None:
    client = begun(strict, "speech_model=u3-rt-pro")
    client.sends({"type": "UpdateConfiguration", "agent_context": "a" * 1750})
    client.sends({"type": "UpdateConfiguration", "agent_context": "a" * 1751})
    assert ending(client) == (3006, INVALID + "Invalid 'agent_context': Max 1750 characters, got 1751")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "KeepAlive"},
        {"type": "ForceEndpoint"},
        {"type": "UpdateConfiguration"},
        {"type": "UpdateConfiguration", "sample_rate": 8000, "encoding": "pcm_mulaw"},
        {"type": "UpdateConfiguration", "keyterms_prompt": [], "prompt": None},
    ],
)
def test_a_message_that_the_hosted_service_takes_is_taken(strict: Service, message: dict[str, Any]) -> None:
    client = begun(strict)
    client.sends(message)
    assert goes_on(client)


def test_silence_of_the_client_is_3006_after_the_time_that_it_asked_for(start: Start) -> None:
    service = start(session=limits(is_strict=True, inactivity_timeout_s=0.2))
    expected = "Session terminated due to inactivity: No messages received for 0.2 seconds"
    assert ending(begun(service)) == (3006, expected)


# Audio


def test_more_than_a_second_in_a_message_is_3007(strict: Service, service: Service) -> None:
    client = begun(strict)
    client.sends(SECOND)
    client.sends(b"\0" * 38_400)
    text = "Input Duration Error: Input Duration Violation: 1200.0 ms. Expected between 50 and 1000 ms"
    assert ending(client) == (3007, text)
    lenient = begun(service)
    lenient.sends(b"\0" * 38_400)
    assert goes_on(lenient)


def test_a_second_of_short_messages_is_3007(strict: Service, service: Service) -> None:
    client, lenient = begun(strict), begun(service)
    for _ in range(50):
        client.sends(b"\0" * 640)
        lenient.sends(b"\0" * 640)
    text = "Input Duration Error: Input Duration Violation: 20.0 ms. Expected between 50 and 1000 ms"
    assert ending(client) == (3007, text)
    assert goes_on(lenient)


def test_less_than_a_second_of_short_messages_and_a_short_last_one_are_taken(strict: Service) -> None:
    client = begun(strict)
    for _ in range(49):
        client.sends(b"\0" * 640)
    client.sends(CHUNK)
    client.sends(b"")
    client.sends(b"\0" * 640)
    assert goes_on(client)


def test_a_few_seconds_at_once_are_taken_and_more_than_may_wait_is_3007(start: Start) -> None:
    service = start(session=limits(is_strict=True, max_backlog_ms=20_000))
    client = begun(service)
    for _ in range(20):
        client.sends(SECOND)
    assert service.has_received(20_000)
    [conversation] = service.gateway.conversations
    assert eventually(lambda: conversation.backlog_ms == 0)  # so of what follows no more can wait than may
    client.tries_to_send(*[SECOND] * 20)
    code, text = ending(client)
    assert code == 3007
    assert re.fullmatch(r"Audio Transmission Rate Exceeded: Received \d\d\.0 sec\. audio in \d+\.\d sec", text)


# The legacy protocol


def test_v2_refuses_messages_of_more_than_two_seconds_with_4033(strict: Service) -> None:
    client = begun(strict, "sample_rate=16000", path=V2)
    client.sends(SECOND * 2)
    client.sends(SECOND * 2 + b"\0\0")
    code, text = ending(client)
    assert (code, text.partition(":")[0]) == (4033, "Audio duration is too long")
    assert text.endswith("Expected between 100 and 2000 ms")


def test_v2_refuses_a_second_of_messages_below_100_ms_with_4032(strict: Service) -> None:
    client = begun(strict, "sample_rate=16000", path=V2)
    client.tries_to_send(*[CHUNK] * 20)
    code, text = ending(client)
    assert (code, text.partition(":")[0]) == (4032, "Audio duration is too short")


@pytest.mark.parametrize("silence_ms", [-1, 20_001])
def test_v2_refuses_a_silence_out_of_its_range_with_4101(strict: Service, service: Service, silence_ms: int) -> None:
    client, lenient = (begun(one, "sample_rate=16000", path=V2) for one in (strict, service))
    for one in (client, lenient):
        one.sends({"end_utterance_silence_threshold": silence_ms})
    assert ending(client)[0] == 4101
    assert goes_on(lenient)


def test_v2_refuses_audio_that_comes_too_fast_with_4029(start: Start) -> None:
    service = start(session=limits(is_strict=True, max_backlog_ms=3000))
    client = begun(service, "sample_rate=16000", path=V2)
    client.tries_to_send(*[SECOND] * 40)
    code, text = ending(client)
    assert (code, text.partition(":")[0]) == (4029, "Client sent audio too fast")


# Tokens


def ask_token(service: Service, query: str, key: str | None = KEY) -> httpx.Response:
    headers = {} if key is None else {"Authorization": key}
    return service.answers(f"/v3/token?{query}", headers=headers)


@pytest.mark.parametrize(
    ("query", "key", "detail"),
    [
        (
            "expires_in_seconds=60",
            None,
            {"type": "missing", "loc": ["header", "authorization"], "msg": "Field required", "input": None},
        ),
        (
            "",
            KEY,
            {"type": "missing", "loc": ["query", "expires_in_seconds"], "msg": "Field required", "input": None},
        ),
        (
            "expires_in_seconds=601",
            KEY,
            {
                "type": "less_than_equal",
                "loc": ["query", "expires_in_seconds"],
                "msg": "Input should be less than or equal to 600",
                "input": "601",
                "ctx": {"le": 600},
            },
        ),
        (
            "expires_in_seconds=60&max_session_duration_seconds=-5",
            KEY,
            {
                "type": "greater_than_equal",
                "loc": ["query", "max_session_duration_seconds"],
                "msg": "Input should be greater than or equal to 60",
                "input": "-5",
                "ctx": {"ge": 60},
            },
        ),
        (
            "expires_in_seconds=soon",
            KEY,
            {
                "type": "int_parsing",
                "loc": ["query", "expires_in_seconds"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "input": "soon",
            },
        ),
    ],
)
def test_a_token_is_refused_with_422_and_a_list_of_what_is_wrong(
    strict: Service, query: str, key: str | None, detail: dict[str, Any]
) -> None:
    refused = ask_token(strict, query, key)
    assert (refused.status_code, refused.json()) == (422, {"detail": [detail]})


def test_a_token_is_made_for_a_key_behind_a_scheme_too(strict: Service) -> None:
    assert ask_token(strict, "expires_in_seconds=60", f"Bearer {KEY}").status_code == 200
    assert ask_token(strict, "expires_in_seconds=60", "wrong").status_code == 401
