"""An end that waits for a language model, when something else happens meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from receiving import LOOPBACK, Receiver, Thinker
from resuming_client import TERMINATE, ResumingClient, is_noticed
from running_service import PATIENCE_S, Service, Start, eventually
from starlette.responses import JSONResponse

from tympan.server.config import OutboundConfig

ASKED = json.dumps({"model": "m", "messages": [{"role": "user", "content": "{{turn}}"}]})


@pytest.fixture
def model() -> Iterator[Thinker]:
    with Thinker([JSONResponse({"choices": []})]) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def service(start: Start, model: Receiver) -> Service:
    return start(outbound=OutboundConfig(networks=LOOPBACK.networks, llm_url=model.url), resume_window_s=30)


def waiting(service: Service, model: Thinker, query: dict[str, str]) -> ResumingClient:
    client = ResumingClient(service, urlencode({"llm_gateway": ASKED, **query}))
    client.begins()
    client.says(2500)
    client.sends(TERMINATE)
    client.hears_until("Turn", end_of_turn=True)
    model.gets()
    return client


def test_a_client_that_is_cut_off_meanwhile_is_told_all_of_it(
    service: Service, model: Thinker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tympan.server.conversation.LAST_ANSWERS_S", PATIENCE_S)
    client = waiting(service, model, {})
    client.is_cut()
    assert is_noticed(service)
    client.resumes()
    model.may_answer.set()
    assert client.hears_end() == (1000, "Session Ended")
    told = [message["type"] for message in client.told if message["type"] != "Checkpoint"]
    assert told[-3:] == ["Turn", "LLMGatewayResponse", "Termination"]
    assert eventually(service.is_idle)


def test_a_client_that_is_cut_off_and_never_comes_back_has_its_webhook(
    start: Start, model: Thinker, receiver: Receiver
) -> None:
    service = start(outbound=OutboundConfig(networks=LOOPBACK.networks, llm_url=model.url), resume_window_s=0.3)
    client = waiting(service, model, {"webhook_url": receiver.url})
    client.is_cut()
    assert len(receiver.gets()[0].document["messages"]) == 1
    assert eventually(service.is_idle)
    assert len(receiver.posts) == 1


def test_a_server_that_stops_meanwhile_ends_it_without_the_answer(service: Service, model: Thinker) -> None:
    client = waiting(service, model, {})
    service.server.should_exit = True
    assert client.hears_end() == (1000, "Session Ended")
    assert client.told[-1]["type"] == "Termination"
    assert not model.may_answer.is_set()
