"""tympan behind NGINX and Caddy, over TLS, by the configurations that the how-to page shows."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from assemblyai.streaming.v3 import (
    RealTimeError,
    RealTimeEvents,
    RealTimeParameters,
    RealTimeTranscriber,
    RealTimeTranscriberOptions,
    TurnEvent,
)
from reverse_proxy import EXAMPLES, ReverseProxy, caddy, nginx
from running_server import PATIENCE_S
from running_service import CHUNK, KEY, Client, Service, endings, eventually, make_service
from websockets.exceptions import ConnectionClosed, InvalidStatus

from certificates import Certificate, make_certificate
from held_port import held_port
from tympan.client import Reconnected, ServerError, SessionParameters, Turn, mint_token
from tympan.client.sync import connect
from tympan.server.config import NetworkConfig

PAGE = EXAMPLES.parent / "howto" / "reverse-proxy.md"

Make = Callable[..., AbstractContextManager[ReverseProxy]]
Put = Callable[..., ReverseProxy]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=[nginx, caddy], ids=["NGINX", "Caddy"])
def make(request: pytest.FixtureRequest) -> Make:
    """Each of the two."""
    chosen: Make = request.param
    return chosen


@pytest.fixture
def put(make: Make, certificate: Certificate, tmp_path: Path) -> Iterator[Put]:
    """Puts one before a port, for the rest of the test."""
    with ExitStack() as stack:

        def before(upstream: int, **options: Any) -> ReverseProxy:
            port = stack.enter_context(held_port())
            return stack.enter_context(make(tmp_path, certificate, port, upstream, **options))

        yield before


@pytest.fixture
def proxy(put: Put, service: Service) -> ReverseProxy:
    return put(service.port)


def calls(service: Service, proxy: ReverseProxy, query: str = "", **options: Any) -> Client:
    trust = proxy.trust
    # Caddy gives session tickets, which the threaded client of these tests trips over in TLS 1.3, once in 400.
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    return service.connects(query, url=proxy.url, ssl=trust, **options)


def finals(messages: list[dict[str, Any]]) -> list[str]:
    return [message["transcript"] for message in messages if message.get("end_of_turn")]


def test_the_page_shows_the_files_that_are_tested() -> None:
    blocks = re.findall(r"```(?:nginx|caddy)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks == [(EXAMPLES / name).read_text() for name in ("nginx/tympan.conf", "caddy/Caddyfile")]


def test_a_query_passes_that_is_as_long_as_parameters_may_make_it(service: Service, proxy: ReverseProxy) -> None:
    """A prompt and a context of the longest, in a script of which each character takes six bytes of a query."""
    text = "ы" * 1_750
    client = calls(service, proxy, urlencode({"speech_model": "u3-rt-pro", "prompt": text, "agent_context": text}))
    assert client.hears()["type"] == "Begin"


def test_a_session_with_a_token_tells_each_word_when_it_is_said(service: Service, proxy: ReverseProxy) -> None:
    token = mint_token(proxy.http, api_key=KEY, tls=proxy.certificate.authority)
    client = calls(service, proxy, f"token={token}&format_turns=true", key=None)
    assert client.hears()["type"] == "Begin"
    client.says(600)
    assert [word["text"] for word in client.hears()["words"]] == ["hi"]  # nothing more is sent before that comes
    client.says(900)
    client.sends({"type": "Terminate"})
    messages, code, reason = client.hears_end()
    assert finals(messages) == ["hi my name is sonny", "Hi, my name is Sonny."]
    assert (code, reason) == (1000, "Session Ended")


def test_an_old_client_holds_a_conversation(service: Service, proxy: ReverseProxy) -> None:
    client = calls(service, proxy, "sample_rate=16000", path="/v2/realtime/ws")
    assert client.hears()["message_type"] == "SessionBegins"
    audio = base64.b64encode(CHUNK * 2).decode()
    for _ in range(15):
        client.sends({"audio_data": audio})
    client.sends({"terminate_session": True})
    messages, code, _ = client.hears_end()
    assert [m["text"] for m in messages if m["message_type"] == "FinalTranscript"] == ["Hi, my name is Sonny."]
    assert (messages[-1]["message_type"], code) == ("SessionTerminated", 1000)


@pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")  # it opens its connection in an old way
def test_the_official_sdk_holds_a_conversation(
    service: Service, proxy: ReverseProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate.authority))
    heard: list[Any] = []
    options = RealTimeTranscriberOptions(
        api_key=KEY, api_host=f"localhost:{proxy.port}", connect_timeout=PATIENCE_S, terminate_timeout=PATIENCE_S
    )
    transcriber = RealTimeTranscriber(options)
    for kind in (RealTimeEvents.Turn, RealTimeEvents.Error):
        transcriber.on(kind, lambda _, event: heard.append(event))
    transcriber.connect(RealTimeParameters(sample_rate=16_000))
    transcriber.stream([CHUNK] * 40)
    transcriber.disconnect(terminate=True)
    assert [turn.transcript for turn in heard if isinstance(turn, TurnEvent) and turn.end_of_turn] == [
        "hi my name is sonny"
    ]
    assert not [event for event in heard if isinstance(event, RealTimeError)]


def test_a_message_of_a_megabyte_comes_whole(service: Service, proxy: ReverseProxy) -> None:
    client = calls(service, proxy, "sample_rate=48000")
    client.sends(b"\0" * 960_000)
    client.sends({"type": "Terminate"})
    messages, code, _ = client.hears_end()
    assert (messages[-1]["audio_duration_seconds"], code) == (10, 1000)


@pytest.mark.parametrize(
    ("path", "key", "message", "code"),
    [
        ("/v3/ws", KEY, "no JSON", 3006),
        ("/v3/ws", "wrong", None, 1008),
        ("/v3/ws", KEY, b"\0" * 2_200_000, 1009),
        ("/v2/realtime/ws", "wrong", None, 4001),
        ("/v2/realtime/ws", KEY, "no JSON", 4100),
    ],
)
def test_a_close_code_comes_as_the_server_sends_it(
    service: Service, proxy: ReverseProxy, path: str, key: str, message: str | bytes | None, code: int
) -> None:
    client = calls(service, proxy, "sample_rate=16000", path=path, key=key)
    if message is not None:
        with suppress(ConnectionClosed):  # it may come before all of a long message is sent
            client.sends(message)
    messages, told, _ = client.hears_end()
    assert told == code
    assert code == 1009 or any("error" in message for message in messages)


def test_a_session_that_is_silent_for_longer_than_the_proxy_waits_lives_on_pings_alone(
    service: Service, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without them NGINX cuts it. Both wait for so long that no busy machine keeps the pings from them."""
    with make_service(network=NetworkConfig(ping_interval_s=0.1)) as pinging, ExitStack() as stack:

        def before(upstream: Service, make: Make, **options: Any) -> Client:
            port = stack.enter_context(held_port())
            folder = tmp_path_factory.mktemp("proxy")
            proxy = stack.enter_context(make(folder, certificate, port, upstream.port, silence_s=10))
            client = calls(upstream, proxy, **options)
            client.hears()
            return client

        living = [before(pinging, nginx), before(pinging, caddy)]
        cut_before = endings(service, 1006)
        cut = before(service, nginx, ping_interval=None)
        with pytest.raises(ConnectionClosed):
            cut.socket.recv(timeout=PATIENCE_S)
        assert cut.socket.close_code == 1006
        assert eventually(lambda: endings(service, 1006) == cut_before + 1)
        for client in living:
            with pytest.raises(TimeoutError):
                client.socket.recv(timeout=0.5)
            client.says(1500)
            client.sends({"type": "Terminate"})
            messages, code, _ = client.hears_end()
            assert (finals(messages), code) == (["hi my name is sonny"], 1000)


def test_a_client_that_is_cut_off_is_known_to_be_gone(service: Service, proxy: ReverseProxy) -> None:
    client = calls(service, proxy)
    client.hears()
    assert service.gateway.admission.active == 1
    client.socket.socket.close()
    assert eventually(lambda: service.gateway.admission.active == 0)


def test_a_session_of_our_client_outlives_a_reload(service: Service, proxy: ReverseProxy, make: Make) -> None:
    parameters = SessionParameters(format_turns=True)
    with connect(proxy.url, api_key=KEY, parameters=parameters, tls=proxy.certificate.authority) as session:
        session.send_audio(CHUNK * 12)
        events = [session.receive()]
        proxy.reload()
        if make is caddy:  # it closes both sides
            while not isinstance(events[-1], Reconnected):
                events.append(session.receive())
        session.send_audio(CHUNK * 18)
        session.terminate()
        events += list(session)
    assert [e.transcript for e in events if isinstance(e, Turn) and e.end_of_turn and e.turn_is_formatted] == [
        "Hi, my name is Sonny."
    ]
    resumed = [event.how for event in events if isinstance(event, Reconnected)]
    assert resumed == (["resumed"] if make is caddy else [])


def test_a_server_that_is_down_is_told_as_502_which_our_client_takes_for_not_ready(
    put: Put, certificate: Certificate
) -> None:
    with held_port() as nobody:
        proxy = put(nobody)
        with pytest.raises(ServerError, match=r"is not ready \(HTTP 502\)") as refused:
            connect(proxy.url, api_key=KEY, tls=certificate.authority).__enter__()
        assert refused.value.context.http_status == 502
        with pytest.raises(ServerError, match="502"):
            mint_token(proxy.http, api_key=KEY, tls=certificate.authority)


def test_a_server_that_loads_its_model_says_so_itself(put: Put) -> None:
    with make_service(is_loaded=False) as service, pytest.raises(InvalidStatus) as refused:
        calls(service, put(service.port))
    assert refused.value.response.status_code == 503
    assert b"loading its model" in (refused.value.response.body or b"")


@pytest.mark.parametrize("make", [nginx], ids=["NGINX"])
def test_a_client_gets_no_session_tickets_from_nginx(proxy: ReverseProxy) -> None:
    with (
        socket.create_connection(("127.0.0.1", proxy.port)) as plain,
        proxy.trust.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.settimeout(PATIENCE_S)
        secure.sendall(b"GET /v3/ws/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert secure.recv(100).startswith(b"HTTP/1.1 200")
        assert secure.version() == "TLSv1.3"
        assert secure.session is None or not secure.session.has_ticket


def test_metrics_stay_inside_and_health_is_told(service: Service, proxy: ReverseProxy) -> None:
    with httpx.Client(base_url=proxy.http, verify=proxy.trust) as outside:
        assert outside.get("/metrics").status_code == 404
        assert outside.get("/v3/ws/health").json()["status"] == "ok"
    assert httpx.get(f"{service.http}/metrics").status_code == 200


def test_the_logs_of_the_proxy_hold_no_credential(service: Service, proxy: ReverseProxy) -> None:
    client = calls(service, proxy, f"token={KEY}", key=None)
    client.sends({"type": "Terminate"})
    assert client.hears_end()[1] == 1000
    if proxy.process.args[0].endswith("nginx"):  # type: ignore[index, union-attr]
        assert eventually(lambda: "GET /v3/ws" in proxy.logged)
    assert KEY not in proxy.logged


def test_nor_do_they_where_the_server_is_down(put: Put) -> None:
    with held_port() as nobody:
        proxy = put(nobody)
        for secret in ("token", "resume_key"):
            query = {secret: KEY, "sample_rate": "16000"}
            answer = httpx.get(f"{proxy.http}/v3/ws", params=query, headers={"Authorization": KEY}, verify=proxy.trust)
            assert answer.status_code == 502
    assert eventually(lambda: proxy.logged.count("/v3/ws") == 2)
    assert KEY not in proxy.logged
