"""Webhooks over real sockets: however a session ends, its finals are posted once."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from receiving import LOOPBACK, Boor, Receiver, says_nothing
from resuming_client import ResumingClient, metric
from running_service import (
    CHUNK,
    PATIENCE_S,
    SONNY,
    Client,
    Service,
    Start,
    StuckRecognizer,
    eventually,
    limits,
)
from starlette.responses import RedirectResponse, Response

from tympan.server.config import OutboundConfig
from tympan.server.outbound.backlog import MAX_RUNNING_PER_RECEIVER
from tympan.server.outbound.finals import Finals
from tympan.server.outbound.signature import signed_headers

SONNY_SAYS = "Hi, my name is Sonny."


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiving:
        yield receiving


@pytest.fixture
def service(start: Start) -> Service:
    """A server whose operator lets webhooks go to receivers on this machine."""
    return start(outbound=LOOPBACK)


def wanting(receiver: Receiver, path: str = "/hook", **parameters: str) -> str:
    return urlencode({"format_turns": "true", "webhook_url": receiver.url + path, **parameters})


def says_it_all(client: Client) -> tuple[str, list[dict[str, Any]], int]:
    """A whole conversation: the session's id, its turns that ended, and the close code."""
    begin = client.hears()
    client.says(2500)
    client.sends({"type": "Terminate"})
    messages, code, _ = client.hears_end()
    return begin["id"], [message for message in messages if message.get("end_of_turn")], code


def vanishes(client: Client) -> None:
    """The line breaks once the server has all that was sent; the system would throw away what it hasn't read."""
    client.is_answered()
    client.socket.socket.close()


def transcripts(receiver: Receiver) -> list[list[str]]:
    return [[turn["transcript"] for turn in post.document["messages"]] for post in receiver.posts]


def undelivered(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What the log tells of webhooks that were given up."""
    return [record for record in list(caplog.records) if record.getMessage() == "webhook not delivered"]


def test_the_formatted_finals_are_posted_as_they_were_sent(service: Service, receiver: Receiver) -> None:
    session_id, turns, code = says_it_all(service.connects(wanting(receiver)))
    [post] = receiver.gets()
    assert code == 1000
    assert post.path == "/hook"
    assert post.document == {"session_id": session_id, "messages": [turns[-1]]}
    assert post.document["messages"][0]["transcript"] == SONNY_SAYS
    assert post.headers["content-type"] == "application/json"
    assert post.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert "webhook-signature" not in post.headers, "nobody gave a secret"
    assert eventually(lambda: metric(service, "webhooks_total", outcome="delivered") == 1)


@pytest.mark.parametrize(
    ("query", "told"), [("format_turns=false", "hi my name is sonny"), ("speech_model=u3-rt-pro", SONNY_SAYS)]
)
def test_without_format_turns_the_only_final_of_a_turn_is_posted(
    service: Service, receiver: Receiver, query: str, told: str
) -> None:
    says_it_all(service.connects(f"{query}&{urlencode({'webhook_url': receiver.url})}"))
    receiver.gets()
    assert transcripts(receiver) == [[told]]


def test_a_session_in_which_nobody_spoke_posts_an_empty_list(service: Service, receiver: Receiver) -> None:
    client = service.connects(wanting(receiver))
    client.hears()
    client.sends({"type": "Terminate"})
    client.hears_end()
    assert receiver.gets()[0].document["messages"] == []


def test_the_header_of_the_client_comes_with_it_and_query_and_path_are_kept(
    service: Service, receiver: Receiver
) -> None:
    named = {"webhook_auth_header_name": "X-Webhook-Secret", "webhook_auth_header_value": "open sesame"}
    says_it_all(service.connects(wanting(receiver, "/a%20b?room=7&x=%2F", **named)))
    [post] = receiver.gets()
    assert post.headers["x-webhook-secret"] == "open sesame"
    assert post.path == "/a b"


def test_a_signed_webhook_has_the_three_headers_of_the_scheme(start: Start, receiver: Receiver) -> None:
    key = bytes(range(32))
    service = start(outbound=replace(LOOPBACK, webhook_key=key))
    receiver.answers = [Response(status_code=503, headers={"Retry-After": "0"})]
    session_id, *_ = says_it_all(service.connects(wanting(receiver)))
    first, second = receiver.gets(2)
    for post in (first, second):
        at = int(post.headers["webhook-timestamp"])
        expected = signed_headers(key, session_id, at, post.body)
        assert {name: post.headers[name] for name in expected} == expected
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == session_id


def test_a_receiver_that_fails_is_tried_again(service: Service, receiver: Receiver) -> None:
    receiver.answers = [Response(status_code=500)]
    says_it_all(service.connects(wanting(receiver)))
    first, second = receiver.gets(2)
    assert first.body == second.body
    assert eventually(lambda: metric(service, "webhooks_total", outcome="delivered") == 1)
    assert metric(service, "webhook_attempts_total", outcome="failed") == 1


@pytest.mark.parametrize("answer", [Response(status_code=404), RedirectResponse("http://169.254.169.254/latest")])
def test_a_receiver_that_refuses_or_redirects_is_not_asked_again(
    service: Service, receiver: Receiver, caplog: pytest.LogCaptureFixture, answer: Response
) -> None:
    receiver.answers = [answer]
    says_it_all(service.connects(wanting(receiver, "/hook?secret=hush")))
    assert eventually(lambda: metric(service, "webhooks_total", outcome="refused") == 1)
    assert service.gateway.deliveries.count == 0
    assert eventually(lambda: bool(undelivered(caplog)))
    [told] = undelivered(caplog)
    assert vars(told)["why"] == f"HTTP {answer.status_code}"
    assert vars(told)["receiver"] == f"127.0.0.1:{receiver.port}"
    assert "hush" not in str([vars(record) for record in caplog.records])


def test_a_client_that_vanishes_loses_no_word_of_its_webhook(service: Service, receiver: Receiver) -> None:
    client = service.connects(wanting(receiver))
    client.hears()
    client.says(1500)  # the turn is open
    vanishes(client)
    receiver.gets()
    assert transcripts(receiver) == [[SONNY_SAYS]]
    assert eventually(service.is_idle)


def test_a_client_that_leaves_without_terminate_loses_no_word_either(service: Service, receiver: Receiver) -> None:
    client = service.connects(wanting(receiver))
    client.hears()
    client.says(1500)
    client.socket.close()
    receiver.gets()
    assert transcripts(receiver) == [[SONNY_SAYS]]
    assert eventually(service.is_idle)


def test_a_session_that_is_ended_with_an_error_is_posted(start: Start, receiver: Receiver) -> None:
    service = start(outbound=LOOPBACK, session=limits(max_duration_s=60))
    client = service.connects(wanting(receiver))
    client.hears()
    client.says(1500)
    assert service.has_received(1500)
    service.loop.passes(60)
    _, code, _ = client.hears_end()
    receiver.gets()
    assert (code, transcripts(receiver)) == (3008, [[SONNY_SAYS]])


def test_a_resumed_session_is_posted_once_when_it_is_over(service: Service, receiver: Receiver) -> None:
    client = ResumingClient(service, wanting(receiver))
    client.begins()
    client.says(700)
    client.is_cut()
    client.resumes()
    client.says(2000)
    assert not receiver.posts
    client.sends({"type": "Terminate"})
    client.hears_end()
    receiver.gets()
    assert transcripts(receiver) == [[SONNY_SAYS]]
    assert eventually(service.is_idle)
    assert len(receiver.posts) == 1


def test_a_resumable_session_that_nobody_resumes_is_posted_when_it_ends(start: Start, receiver: Receiver) -> None:
    service = start(outbound=LOOPBACK, resume_window_s=0.2)
    client = ResumingClient(service, wanting(receiver))
    client.begins()
    client.says(1500)
    client.line.is_answered()
    client.is_cut()
    receiver.gets()
    assert transcripts(receiver) == [[SONNY_SAYS]]
    assert client.connects_again()["error_code"] == 4004
    assert eventually(lambda: not service.gateway.conversations)


def test_a_server_that_stops_delivers_first(
    service: Service, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tympan.server.gateway.DRAIN_S", PATIENCE_S)
    client = service.connects(wanting(receiver))
    client.hears()
    client.says(1500)
    gone = service.connects(wanting(receiver, "/gone"))
    gone.hears()
    gone.says(1500)
    assert service.has_received(1500, 1500)
    vanishes(gone)
    service.server.should_exit = True
    _, code, _ = client.hears_end()
    service.stop()
    assert code == 3005
    assert {post.path for post in receiver.posts} == {"/hook", "/gone"}
    assert transcripts(receiver) == [[SONNY_SAYS]] * 2


def test_a_server_that_stops_tells_what_it_could_not_deliver(
    service: Service, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [Response(status_code=503) for _ in range(5)]
    session_id, *_ = says_it_all(service.connects(wanting(receiver)))
    receiver.gets()
    service.stop()
    [told] = undelivered(caplog)
    assert (vars(told)["session"], vars(told)["why"]) == (session_id, "the server stops")
    assert told.levelno == logging.WARNING


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:9/", "a loopback address"),
        ("http://localhost/", "a loopback address"),
        ("https://[::1]/", "a loopback address"),
        ("http://[::ffff:127.0.0.1]/", "a loopback address"),
        ("http://[64:ff9b::a00:1]/", "a private address"),
        ("http://169.254.169.254/latest/meta-data", "a link-local address"),
        ("http://10.1.2.3/", "a private address"),
    ],
)
def test_an_address_inside_the_network_is_refused_before_the_session_begins(start: Start, url: str, kind: str) -> None:
    service = start()
    messages, code, _ = service.connects(urlencode({"webhook_url": url})).hears_end()
    [error] = messages
    assert code == 3006
    assert error["error"].endswith(
        f"Invalid 'webhook_url': leads to {kind}; the operator may allow it: webhook_networks"
    )
    assert service.gateway.deliveries.count == 0


def test_a_name_that_leads_inside_is_refused_when_it_is_looked_up(
    start: Start, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The system's own lookup, with one more name: what a receiver's owner writes into the domain name system.
    looked_up = resolving(monkeypatch, {"inside.example": "127.0.0.1"})
    service = start()
    says_it_all(service.connects(urlencode({"webhook_url": f"http://inside.example:{receiver.port}/"})))
    assert eventually(lambda: metric(service, "webhooks_total", outcome="refused") == 1)
    assert looked_up == ["inside.example"]
    assert not receiver.posts


def test_webhooks_can_be_turned_off(start: Start) -> None:
    service = start(outbound=OutboundConfig(has_webhooks=False))
    messages, code, _ = service.connects("webhook_url=https://example.com/").hears_end()
    assert code == 3006
    assert "webhooks are turned off on this server" in messages[0]["error"]


def test_audio_that_waits_to_be_judged_when_a_client_vanishes_is_judged(start: Start, receiver: Receiver) -> None:
    service = start(SONNY, outbound=LOOPBACK)
    client = service.connects(wanting(receiver))
    client.hears()
    for _ in range(200):
        client.sends(CHUNK)
    vanishes(client)
    receiver.gets()
    assert transcripts(receiver) == [[SONNY_SAYS]]


def resolving(monkeypatch: pytest.MonkeyPatch, names: dict[str, str]) -> list[str]:
    """The system's lookup knows these names too; returns the names that were looked up."""
    real, looked_up = socket.getaddrinfo, []

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in names:
            looked_up.append(host)
        return real(names.get(host, host), *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


def test_a_session_with_more_turns_than_are_kept_posts_its_beginning_and_says_so_in_the_log(
    service: Service, receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Finals.__init__, "__defaults__", (100,))
    says_it_all(service.connects(wanting(receiver)))
    assert receiver.gets()[0].document["messages"] == []
    [told] = [record for record in list(caplog.records) if record.getMessage() == "webhook is cut short"]
    assert vars(told)["missing_turns"] == 1


def test_a_session_that_ends_after_the_last_attempts_is_told_in_the_log(
    service: Service, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    client = service.connects(wanting(receiver))
    client.hears()
    asyncio.run_coroutine_threadsafe(service.gateway.deliveries.drain(1), service.loop).result(PATIENCE_S)
    client.sends({"type": "Terminate"})
    client.hears_end()
    assert eventually(lambda: metric(service, "webhooks_total", outcome="dropped") == 1)
    assert eventually(lambda: bool(undelivered(caplog)))
    assert not receiver.posts


def test_an_engine_that_is_too_slow_for_a_client_that_is_gone_is_not_waited_for_for_ever(
    start: Start, receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tympan.server.conversation.ALONE_S", 0.1)
    recognizer = StuckRecognizer()
    service = start(recognizer=recognizer, outbound=LOOPBACK)
    client = service.connects(wanting(receiver))
    client.hears()
    client.says(1000)
    vanishes(client)
    assert receiver.gets()[0].document["messages"] == []
    recognizer.is_released.set()
    told = [record for record in list(caplog.records) if "was not judged in time" in record.getMessage()]
    assert [vars(record)["audio_ms"] for record in told] == [1000]


def test_a_dead_receiver_of_many_sessions_harms_neither_others_nor_the_end(
    start: Start, receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tympan.server.gateway.DRAIN_S", 0.2)
    service = start(outbound=LOOPBACK, max_sessions=64)
    with Boor(says_nothing) as dead:
        clients = [service.connects(urlencode({"webhook_url": dead.url})) for _ in range(20)]
        for client in clients:
            client.sends({"type": "Terminate"})
        for client in clients:
            client.hears_end()
        assert eventually(lambda: dead.visits >= MAX_RUNNING_PER_RECEIVER)
        says_it_all(service.connects(wanting(receiver)))
        receiver.gets()
        assert eventually(lambda: service.gateway.deliveries.count == len(clients))
        service.stop()
    dropped = undelivered(caplog)
    assert len({vars(record)["session"] for record in dropped}) == len(clients)


def test_who_is_in_a_hurry_waits_for_no_receiver(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with Boor(says_nothing) as dead:
        says_it_all(service.connects(urlencode({"webhook_url": dead.url})))
        assert eventually(lambda: dead.visits == 1)
        drained = service.gateway.deliveries.drain(2 * PATIENCE_S, lambda: True)
        asyncio.run_coroutine_threadsafe(drained, service.loop).result(PATIENCE_S)
    messages = [record.getMessage() for record in caplog.records]
    assert [message for message in messages if "webhook" in message] == ["webhook not delivered"]
