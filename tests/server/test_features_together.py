"""What a client may ask for is asked for at once: compressed audio, voice focus, a webhook, a language model and
resuming, in a session of whole turns, on a strict server with limits for each key that speaks v2 beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from receiving import LOOPBACK, Post, Receiver
from resuming_client import TERMINATE, ResumingClient, is_noticed, story
from running_service import CHUNK, Service, Start, eventually, limits
from starlette.responses import JSONResponse, Response

from encoded_audio import opus_packets
from tympan.runtime.key_limits import KeyLimits
from tympan.server.config import OutboundConfig

SONNY_SAYS = "Hi, my name is Sonny."
PACKETS = opus_packets(np.zeros(48_000, dtype=np.int16))
V2 = "/v2/realtime/ws"


async def shout(post: Post) -> Response:
    """A language model that repeats what it is asked, louder."""
    return JSONResponse({"choices": [{"message": {"content": post.document["messages"][0]["content"].upper()}}]})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def model() -> Iterator[Receiver]:
    with Receiver(respond=shout) as running:
        yield running


@pytest.fixture
def strict(start: Start, model: Receiver) -> Service:
    return start(
        session=limits(is_strict=True, min_chunk_ms=50, max_chunk_ms=1_000),
        outbound=OutboundConfig(networks=LOOPBACK.networks, llm_url=f"{model.url}/v1"),
        key_limits=KeyLimits(max_sessions=1, max_new_per_minute=3),
    )


def everything(receiver: Receiver) -> str:
    asked = {"model": "m", "messages": [{"role": "user", "content": "{{turn}}"}]}
    return urlencode(
        {
            "speech_model": "universal-3-6-pro",
            "encoding": "opus",
            "voice_focus": "far-field",
            "voice_focus_threshold": "1",
            "vad_threshold": "0.6",
            "language_detection": "True",
            "acknowledge_silence": "True",
            "include_partial_turns": "False",
            "min_turn_silence": "100",
            "max_turn_silence": "100",
            "webhook_url": f"{receiver.url}/hook",
            "webhook_auth_header_name": "X-Secret",
            "webhook_auth_header_value": "sesame",
            "llm_gateway": json.dumps(asked),
        }
    )


def converses(service: Service, query: str, *, cut_after: int | None) -> ResumingClient:
    """A whole session, whose line breaks after so many packets."""
    client = ResumingClient(service, query)
    client.begins()
    for number, packet in enumerate(PACKETS):
        if number == cut_after:
            client.is_cut()
            assert is_noticed(service)
            client.resumes()
        client.sends(packet)
    client.sends(TERMINATE)
    assert client.hears_end() == (1000, "Session Ended")
    assert eventually(service.is_idle)
    return client


def without_answers(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the audio alone decides; an answer comes when the model has it."""
    return [message for message in story(told) if message["type"] != "LLMGatewayResponse"]


def test_all_of_it_holds_at_once_and_through_a_cut(strict: Service, receiver: Receiver) -> None:
    query = everything(receiver)
    uncut = converses(strict, query, cut_after=None)
    client = converses(strict, query, cut_after=40)

    assert without_answers(client.told) == without_answers(uncut.told)
    begin, *_, end = client.told
    assert begin["configuration"]["voice_focus"] == "far-field"
    assert end == {**end, "type": "Termination", "audio_duration_seconds": 3}
    [final] = [message for message in client.told if message["type"] == "Turn"]
    assert (final["transcript"], final["end_of_turn"], final["language_code"]) == (SONNY_SAYS, True, "en")
    [answer] = [message for message in client.told if message["type"] == "LLMGatewayResponse"]
    assert (answer["turn_order"], answer["transcript"]) == (0, SONNY_SAYS)
    assert answer["data"]["choices"][0]["message"]["content"] == SONNY_SAYS.upper()
    assert any(message["type"] == "Silence" for message in client.told)

    first, second = receiver.gets(2)
    assert [first.document["session_id"], second.document["session_id"]] == [uncut.told[0]["id"], begin["id"]]
    assert second.document["messages"] == [final]
    assert second.headers["x-secret"] == "sesame"


def test_old_clients_of_the_same_key_wait_for_a_session_that_is_kept(strict: Service, receiver: Receiver) -> None:
    client = ResumingClient(strict, everything(receiver))
    client.begins()
    client.is_cut()
    assert is_noticed(strict)
    messages, code, _ = strict.connects("sample_rate=16000", path=V2).hears_end()
    assert (code, len(messages)) == (4102, 1)

    client.resumes()
    client.sends(TERMINATE)
    assert client.hears_end()[0] == 1000
    assert eventually(strict.is_idle)
    old = strict.connects("sample_rate=16000&webhook_url=nonsense&voice_focus=nonsense", path=V2)
    assert old.hears()["message_type"] == "SessionBegins"
    old.sends(CHUNK * 2)
    old.sends({"terminate_session": True})
    assert old.hears_end()[1] == 1000
