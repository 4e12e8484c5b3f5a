"""Health, tokens, metrics, and everything else over plain HTTP."""

from __future__ import annotations

import time

import pytest
from running_service import KEY, Service, Start, eventually
from starlette.routing import Route, WebSocketRoute

from tympan.server.addresses import ADDRESSES
from tympan.server.app import create_app
from tympan.server.config import AuthConfig


def test_health_is_503_while_the_model_loads(start: Start) -> None:
    answer = start(is_loaded=False).answers("/v3/ws/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "loading")


def test_health_tells_engine_model_and_sessions(service: Service) -> None:
    service.connects().hears()
    answer = service.answers("/v3/ws/health")
    assert answer.status_code == 200
    assert answer.json() | {"version": "?"} == {
        "status": "ok",
        "version": "?",
        "engine": "scripted",
        "model": "script",
        "sessions": 1,
    }


@pytest.mark.parametrize("key", [KEY, f"Bearer {KEY}"])
def test_a_token_is_made_for_a_key_and_opens_a_session(service: Service, key: str) -> None:
    answer = service.answers(
        "/v3/token",
        params={"expires_in_seconds": 60, "max_session_duration_seconds": 60},
        headers={"Authorization": key},
    )
    assert answer.status_code == 200
    assert answer.json()["expires_in_seconds"] == 60
    client = service.connects("token=" + answer.json()["token"], key=None)
    assert client.hears()["type"] == "Begin"


def test_a_token_is_made_for_the_first_sdk_too(service: Service) -> None:
    query = {"expires_in": 30, "max_session_duration": 120}
    answer = service.answers("/v3/token", params=query, headers={"Authorization": KEY})
    assert answer.json()["expires_in_seconds"] == 30
    begin = service.connects("token=" + answer.json()["token"], key=None).hears()
    assert 110 < begin["expires_at"] - time.time() < 130


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_token_without_a_key_is_401(service: Service, key: str | None) -> None:
    headers = {} if key is None else {"Authorization": key}
    answer = service.answers("/v3/token?expires_in_seconds=60", headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()) == {"error", "detail"}


def test_a_token_buys_no_other_token(service: Service) -> None:
    token = service.gateway.mint.mint(expires_in_s=60, max_session_s=60)
    answer = service.answers("/v3/token?expires_in_seconds=60", headers={"Authorization": token})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "expires_in_seconds"),
        ("expires_in_seconds=0", "expires_in_seconds"),
        ("expires_in_seconds=0&expires_in=60", "expires_in_seconds"),
        ("expires_in_seconds=601", "expires_in_seconds"),
        ("expires_in_seconds=1.5", "expires_in_seconds"),
        ("expires_in_seconds=%D9%A1", "expires_in_seconds"),
        ("expires_in_seconds=60&max_session_duration_seconds=59", "max_session_duration_seconds"),
        ("expires_in_seconds=60&max_session_duration_seconds=10801", "max_session_duration_seconds"),
    ],
)
def test_a_token_parameter_out_of_range_is_400(service: Service, query: str, name: str) -> None:
    answer = service.answers(f"/v3/token?{query}", headers={"Authorization": KEY})
    assert answer.status_code == 400
    assert name in answer.json()["error"]
    assert answer.json()["detail"][0]["loc"] == ["query", name]


def test_without_authentication_a_token_needs_no_key(start: Start) -> None:
    service = start(auth=AuthConfig(is_open=True))
    assert service.answers("/v3/token?expires_in_seconds=60").status_code == 200


def test_metrics_count_sessions_by_close_code(start: Start) -> None:
    service = start()
    client = service.connects()
    client.says(1000)
    client.sends({"type": "Terminate"})
    client.hears_end()
    service.connects(key="wrong").hears_end()
    lines = service.answers("/metrics").text.splitlines()
    assert 'tympan_connections_ended_total{close_code="1000"} 1.0' in lines
    assert 'tympan_connections_ended_total{close_code="1008"} 1.0' in lines
    assert "tympan_audio_received_seconds_total 1.0" in lines
    assert "tympan_sessions_active 0.0" in lines


def test_close_codes_of_a_clients_own_choice_make_one_metric(start: Start) -> None:
    service = start()
    for code in range(4900, 4910):
        client = service.connects()
        client.hears()
        client.socket.close(code)
    assert eventually(service.is_idle)
    counted = [line for line in service.answers("/metrics").text.splitlines() if "close_code=" in line]
    assert [line for line in counted if "_total" in line] == ['tympan_connections_ended_total{close_code="other"} 10.0']


def test_metrics_can_be_switched_off(start: Start) -> None:
    assert start(has_metrics=False).answers("/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/", "/v3/ws", "/v2/realtime/ws", "/v2/realtime/token", "/favicon.ico", "/v3/token/"])
def test_everything_else_is_404_in_json(service: Service, path: str) -> None:
    answer = service.answers(path)
    assert answer.status_code == 404
    assert "/v3/ws" in answer.json()["error"]


def test_what_is_served_is_what_the_compatibility_report_says(service: Service) -> None:
    routes = create_app(service.gateway).routes
    paths = {route.path for route in routes if isinstance(route, Route | WebSocketRoute)}
    assert paths - {"/{path:path}"} == {path for address in ADDRESSES for path in address.paths}
