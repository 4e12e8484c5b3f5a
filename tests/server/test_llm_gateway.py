"""A language model is asked about each finished turn, and what it says comes to the client; it holds up nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import assemblyai.streaming.v3 as sdk
import pytest
from assemblyai.streaming.v3.models import LLMGatewayConfig, LLMGatewayMessage
from receiving import LOOPBACK, Boor, Post, Receiver, Thinker, says_nothing
from resuming_client import ResumingClient, metric
from running_service import CHUNK, KEY, PATIENCE_S, Client, Service, Start, eventually
from starlette.responses import JSONResponse, Response

from tympan.engines.scripted import Script, ScriptedWord
from tympan.server.config import OutboundConfig
from tympan.server.outbound import language_model

ASKED = {
    "model": "a-model",
    "messages": [
        {"role": "system", "content": "You translate."},
        {"role": "user", "content": "To French: {{turn}}"},
    ],
    "max_tokens": 50,
}
QUERY = urlencode({"format_turns": "true", "llm_gateway": json.dumps(ASKED)})
SONNY_SAYS = "Hi, my name is Sonny."
TERMINATE = {"type": "Terminate"}


def completion(text: str) -> dict[str, Any]:
    """What the official service answers to a chat completion request, all its keys."""
    return {
        "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
        "object": "chat.completion",
        "created": 1741570283,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 1117,
            "completion_tokens": 46,
            "total_tokens": 1163,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_fc9f1d7035",
    }


async def echo(post: Post) -> Response:
    """A model that repeats what it is asked, and shouts."""
    text = post.document["messages"][-1].get("content", "")
    return JSONResponse(completion(text.upper() + " – é"))


@pytest.fixture(autouse=True)
def _an_answer_is_in_time_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tympan.server.conversation.LAST_ANSWERS_S", PATIENCE_S)


@pytest.fixture
def model() -> Iterator[Receiver]:
    with Receiver(respond=echo) as running:
        yield running


@pytest.fixture
def service(start: Start, model: Receiver) -> Service:
    return start(outbound=OutboundConfig(llm_url=f"{model.url}/v1/?version=7", llm_key="sesame"))


def hears_all(client: Client, ms: int = 2500) -> list[dict[str, Any]]:
    client.hears()
    client.says(ms)
    client.sends(TERMINATE)
    return client.hears_end()[0]


def answers(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] == "LLMGatewayResponse"]


def outcomes(service: Service, outcome: str) -> float:
    return metric(service, "llm_questions_total", outcome=outcome)


def test_each_finished_turn_is_asked_about_and_answered(service: Service, model: Receiver) -> None:
    messages = hears_all(service.connects(QUERY))
    [post] = model.gets()
    assert post.path == "/v1/chat/completions"
    assert post.headers["authorization"] == "Bearer sesame"
    assert post.headers["content-type"] == "application/json"
    assert post.document == {
        **ASKED,
        "messages": [ASKED["messages"][0], {"role": "user", "content": f"To French: {SONNY_SAYS}"}],
    }
    [answer] = answers(messages)
    assert answer == {
        "type": "LLMGatewayResponse",
        "turn_order": 0,
        "transcript": SONNY_SAYS,
        "data": completion(f"TO FRENCH: {SONNY_SAYS.upper()} – é"),
    }
    assert messages[-1]["type"] == "Termination"
    assert outcomes(service, "answered") == 1


def test_without_a_model_the_parameter_has_no_effect(start: Start) -> None:
    messages = hears_all(start().connects(QUERY))
    assert not answers(messages)
    assert messages[-1]["type"] == "Termination"


def test_without_the_parameter_nothing_is_asked(service: Service, model: Receiver) -> None:
    assert not answers(hears_all(service.connects("format_turns=true")))
    assert not model.posts


def test_a_slow_model_holds_up_no_turn_and_the_end_waits_for_its_answer(start: Start) -> None:
    with Thinker(respond=echo) as model:
        service = start(outbound=OutboundConfig(llm_url=model.url))
        client = service.connects(QUERY)
        client.hears()
        client.says(2500)
        client.sends(TERMINATE)
        while not client.hears().get("turn_is_formatted"):
            pass
        model.gets()
        model.may_answer.set()
        messages, code, _ = client.hears_end()
    assert [message["type"] for message in messages] == ["LLMGatewayResponse", "Termination"]
    assert code == 1000


def test_the_end_does_not_wait_for_ever(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tympan.server.conversation.LAST_ANSWERS_S", 0.3)
    with Boor(says_nothing) as model:
        service = start(outbound=OutboundConfig(llm_url=model.url))
        messages = hears_all(service.connects(QUERY))
        assert messages[-1]["type"] == "Termination"
        assert outcomes(service, "dropped") == 1
        assert eventually(service.is_idle)
        assert eventually(lambda: service.tasks() <= 1)


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        Response(status_code=302, headers={"Location": "http://169.254.169.254/"}),
        Response("I am a teapot"),
        Response("[1, 2]"),
        Response('{"a": NaN}'),
        Response('{"a": 1e999}'),
        Response("[" * 100_000),
        Response(json.dumps({"a": "x" * language_model.MAX_ANSWER_BYTES})),
    ],
)
def test_what_is_no_answer_is_told_to_the_operator_alone(start: Start, answer: Response) -> None:
    with Receiver([answer]) as model:
        service = start(outbound=OutboundConfig(llm_url=model.url))
        messages = hears_all(service.connects(QUERY))
    assert messages[-1]["type"] == "Termination"
    assert not answers(messages)
    assert outcomes(service, "failed") == 1


def test_a_client_that_vanishes_is_not_asked_for(start: Start) -> None:
    with Boor(says_nothing) as model:
        service = start(outbound=OutboundConfig(llm_url=model.url))
        client = service.connects(QUERY)
        client.hears()
        client.says(4000)
        while not client.hears().get("turn_is_formatted"):
            pass
        assert eventually(lambda: model.visits == 1)
        client.socket.socket.close()
        assert eventually(service.is_idle)
        assert outcomes(service, "dropped") == 1


def test_an_answer_is_counted_and_told_again_when_a_session_is_resumed(service: Service, model: Receiver) -> None:
    client = ResumingClient(service, QUERY)
    client.begins()
    client.says(4000)
    client.hears_until("LLMGatewayResponse")
    heard = len(client.told)
    client.is_cut()
    client.told = client.told[: heard - 1]  # the answer was lost on the way
    client.resumes()
    client.sends(TERMINATE)
    client.hears_end()
    assert len(answers(client.told)) == 1
    assert len(model.posts) == 1


def test_a_model_slower_than_the_turns_is_asked_no_more_than_it_may_be(start: Start) -> None:
    talk = Script(tuple(ScriptedWord("Yes.", at, at + 100, end_of_turn_confidence=1) for at in range(0, 60_000, 1000)))
    with Boor(says_nothing) as model:
        service = start(talk, outbound=OutboundConfig(llm_url=model.url))
        client = service.connects(QUERY)
        client.hears()
        client.says(60_000)
        turns = 0
        while turns < 60:
            turns += client.hears().get("turn_is_formatted", False)
        kept = language_model.MAX_ASKED_PER_SESSION + language_model.MAX_WAITING_PER_SESSION
        assert outcomes(service, "dropped") == 60 - kept
        assert eventually(lambda: model.visits == language_model.MAX_ASKED_PER_SESSION)


@pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")  # how the SDK opens its connection
def test_the_official_python_sdk_asks_and_is_answered(start: Start, model: Receiver) -> None:
    service = start(outbound=replace(LOOPBACK, llm_url=f"{model.url}/v1"))
    told: list[Any] = []
    patience = {"connect_timeout": PATIENCE_S, "terminate_timeout": PATIENCE_S}
    options = sdk.RealTimeTranscriberOptions(api_key=KEY, api_host=service.url, **patience)
    transcriber = sdk.RealTimeTranscriber(options)
    transcriber.on(sdk.RealTimeEvents.LLMGatewayResponse, lambda client, event: told.append(event))
    messages = [LLMGatewayMessage(role="user", content="To French: {{turn}}")]
    transcriber.connect(
        sdk.RealTimeParameters(
            sample_rate=16_000,
            format_turns=True,
            llm_gateway=LLMGatewayConfig(model="a-model", messages=messages, max_tokens=50),
            webhook_url=f"{model.url}/hook",
            webhook_auth_header_name="X-Secret",
            webhook_auth_header_value="sesame",
        )
    )
    transcriber.stream([CHUNK] * 40)
    transcriber.disconnect(terminate=True)
    [answer] = told
    assert (answer.turn_order, answer.transcript) == (0, SONNY_SAYS)
    assert answer.data["choices"][0]["message"]["content"] == f"TO FRENCH: {SONNY_SAYS.upper()} – é"
    asked, posted = model.gets(2)
    assert asked.document["max_tokens"] == 50
    assert posted.headers["x-secret"] == "sesame"
    assert [turn["transcript"] for turn in posted.document["messages"]] == [SONNY_SAYS]
