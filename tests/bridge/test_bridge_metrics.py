"""What a bridge counts, as it is scraped."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable

import pytest
from background import Background
from running_bridge import RunningBridge, Start, begins
from running_service import CHUNK, Service, eventually
from tcp_proxy import Harm, How, Proxy

from tympan.bridge.metrics import BridgeMetrics, Ended, ended_by
from tympan.client.errors import (
    AuthError,
    ClientError,
    ErrorContext,
    NetworkError,
    RequestError,
    ServerError,
    SilentServer,
)
from tympan.core.errors import BadParameter, MaxDurationExceeded, ServerStopping
from tympan.engines.scripted import Script, ScriptedWord
from tympan.runtime.metrics import Metrics
from tympan.server.config import NetworkConfig


def closed(code: int) -> ErrorContext:
    return ErrorContext(close_code=code)


@pytest.mark.parametrize(
    ("cause", "ended"),
    [
        (ServerError("Session Expired", closed(3008)), Ended.EXPIRED),
        (ServerError("Too many concurrent sessions", closed(1008)), Ended.SERVICE_FULL),
        (ServerError("Too many concurrent sessions", closed(3009)), Ended.SERVICE_FULL),
        (AuthError("Not authorized", closed(1008)), Ended.SERVICE_KEY),
        (NetworkError("refused"), Ended.SERVICE_UNREACHABLE),
        (SilentServer("says nothing"), Ended.SERVICE_UNREACHABLE),
        (ServerError("failed", closed(3005)), Ended.SERVICE_ERROR),
        (RequestError("sample_rate", closed(3006)), Ended.SERVICE_ERROR),
        (ClientError("anything"), Ended.SERVICE_ERROR),
        (MaxDurationExceeded("over"), Ended.EXPIRED),
        (ServerStopping("stops"), Ended.STOPPED),
        (BadParameter("sample_rate", "expected a number"), Ended.CLIENT_ERROR),
        (KeyError("bug"), Ended.INTERNAL_ERROR),
    ],
)
def test_each_cause_is_counted_as_one_reason(cause: Exception, ended: Ended) -> None:
    assert ended_by(cause) is ended


def test_no_metric_of_the_bridge_is_called_like_one_of_the_server() -> None:
    bridge, server = (
        {metric.name for metric in metrics.registry.collect()} for metrics in (BridgeMetrics(), Metrics())
    )
    assert not bridge & server


def test_a_session_is_counted_from_begin_to_end(bridge: RunningBridge) -> None:
    client = begins(bridge.connects())
    assert bridge.counts("sessions_active") == 1
    client.says(500)
    client.sends({"audio_data": base64.b64encode(CHUNK).decode()})
    client.sends({"terminate_session": True})
    client.hears_end()
    assert eventually(lambda: bridge.counts("sessions_ended_total", reason="finished") == 1)
    lines = bridge.answers("/metrics").text.splitlines()
    for line in (
        "tympan_bridge_sessions_active 0.0",
        "tympan_bridge_sessions_begun_total 1.0",
        'tympan_bridge_messages_total{direction="from_client"} 12.0',
        f'tympan_bridge_messages_total{{direction="to_client"}} {float(len(client.heard))}',
        "tympan_bridge_audio_received_seconds_total 0.55",
        "tympan_bridge_upstream_connect_seconds_count 1.0",
    ):
        assert line in lines
    assert 0 < bridge.counts("upstream_connect_seconds_sum") < 5


def test_a_session_that_the_service_never_began_is_counted_with_its_reason(service: Service, start: Start) -> None:
    for url, key, reason in (
        ("ws://127.0.0.1:1", "any", "service_unreachable"),
        (service.url, "not-the-key", "service_key"),
    ):
        bridge = start(url, key)
        messages, _, _ = bridge.connects().hears_end()
        assert bridge.counts("sessions_ended_total", reason=reason) == 1
        assert bridge.counts("messages_total", direction="to_client") == len(messages)
        assert bridge.counts("sessions_begun_total") == bridge.counts("upstream_connect_seconds_count") == 0


def test_a_service_that_is_full_is_counted_as_that(serve: Callable[..., Service], start: Start) -> None:
    bridge = start(serve(max_sessions=1).url)
    begins(bridge.connects())
    bridge.connects().hears_end()
    assert bridge.counts("sessions_ended_total", reason="service_full") == 1


def test_clients_that_leave_or_say_what_can_not_be_used_are_told_apart(bridge: RunningBridge) -> None:
    begins(bridge.connects()).socket.close()
    assert eventually(lambda: bridge.counts("sessions_ended_total", reason="client_left") == 1)
    client = begins(bridge.connects())
    client.sends("nonsense")
    client.hears_end()
    assert bridge.counts("sessions_ended_total", reason="client_error") == 1


def test_a_client_that_does_not_read_what_it_is_told_is_counted_as_slow(
    serve: Callable[..., Service], start: Start
) -> None:
    words = tuple(ScriptedWord("long" * 250, number * 50, number * 50 + 50) for number in range(500))
    bridge = start(serve(script=Script(words, frame_ms=50)).url, network=NetworkConfig(send_timeout_s=0.3))
    bridge.listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", bridge.port))
        client = bridge.connects(sock=line, max_queue=1, compression=None)
        client.tries_to_send(*[CHUNK, {"force_end_utterance": True}] * len(words))
        assert eventually(lambda: bridge.counts("sessions_ended_total", reason="client_slow") == 1)


def test_a_session_that_is_over_for_its_token_or_for_the_bridge_is_counted_as_that(bridge: RunningBridge) -> None:
    short = bridge.switchboard.mint.mint(expires_in_s=60, max_session_s=60)
    client = begins(bridge.connects(f"sample_rate=16000&token={short}", key=None))
    bridge.loop.passes(60)
    client.hears_end()
    assert bridge.counts("sessions_ended_total", reason="expired") == 1
    client = begins(bridge.connects())
    bridge.drains(5)
    client.hears_end()
    assert bridge.counts("sessions_ended_total", reason="stopped") == 1


def test_who_is_refused_is_counted_by_reason(service: Service, start: Start) -> None:
    bridge = start(service.url, max_sessions=1)
    begins(bridge.connects())
    for query, key, reason in (
        ("sample_rate=16000", "wrong", "credential"),
        ("sample_rate=much", None, "parameter"),
        ("sample_rate=16000", None, "server_sessions"),
    ):
        bridge.connects(query, **({} if key is None else {"key": key})).hears_end()
        assert bridge.counts("sessions_refused_total", reason=reason) == 1


def test_a_connection_that_was_lost_and_came_back_is_counted(aside: Background, service: Service, start: Start) -> None:
    with aside.entered(Proxy("127.0.0.1", service.port)) as proxy:
        aside.call(proxy.plan, Harm(How.RESET, after_bytes=20_000))
        bridge = start(proxy.url)
        client = begins(bridge.connects())
        client.says(1500)
        client.sends({"terminate_session": True})
        client.hears_end()
    assert bridge.counts("upstream_reconnect_attempts_total") == 1
    assert bridge.counts("upstream_reconnects_total", how="resumed") == 1
    assert bridge.counts("sessions_ended_total", reason="finished") == 1


def test_metrics_can_be_switched_off(service: Service, start: Start) -> None:
    assert start(service.url, has_metrics=False).answers("/metrics").status_code == 404
