"""What is served over plain HTTP: temporary tokens and health (protocol reference, sections 1 and 7)."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import pytest
from call import broken
from endpoint import Answer, Endpoint

REFUSED = (400, 401, 403, 422)
"""What services answer to a request for a token that can't be granted: documents and reality differ (7.1, 11)."""

CLOCKS_DIFFER_S = 10
"""The service's and ours."""


def asks(endpoint: Endpoint, query: str, *, key: str | None = "") -> Answer:
    credential = endpoint.key if key == "" else key
    headers = {} if credential is None else {"Authorization": credential}
    return endpoint.asks(f"/v3/token?{query}", headers=headers)


def must_be(endpoint: Endpoint, answer: Answer, status: int, says: str, *, strict_status: int = 422) -> None:
    """That very status of our own server, and any refusal elsewhere; either with words in it."""
    ours = strict_status if endpoint.is_strict else status
    expected = (ours,) if endpoint.is_ours else REFUSED
    if answer.status not in expected:
        broken(f"7.1: {says}", f"HTTP {answer.status} {answer.text[:200]}")
    body = answer.body
    if not isinstance(body, dict) or not ({"error", "detail"} & set(body)):
        broken("7.1: errors are JSON with 'error' or 'detail'", answer.text[:200])
    has_both = isinstance(body.get("error"), str) and isinstance(body.get("detail"), list)
    if endpoint.is_ours and answer.status != 422 and not has_both:
        broken("7.1: our errors have both forms", answer.text[:200])


@pytest.mark.parametrize("expires_in_s", [1, 60, 600])
def test_a_token_is_given_with_what_was_asked_for(endpoint: Endpoint, expires_in_s: int) -> None:
    answer = asks(endpoint, f"expires_in_seconds={expires_in_s}")
    body = answer.body
    is_right = answer.status == 200 and isinstance(body, dict) and isinstance(body.get("token"), str)
    if not is_right or not body["token"] or body.get("expires_in_seconds") != expires_in_s:
        broken("7.1: 200 {token, expires_in_seconds}", f"HTTP {answer.status} {answer.text[:200]}")


@pytest.mark.parametrize("expires_in_s", ["0", "601", "-1", "60.5", "soon", ""])
def test_a_window_out_of_range_is_400_or_when_strict_422(endpoint: Endpoint, expires_in_s: str) -> None:
    answer = asks(endpoint, urlencode({"expires_in_seconds": expires_in_s}))
    must_be(endpoint, answer, 400, "expires_in_seconds is 1 to 600")


def test_a_window_is_required(endpoint: Endpoint) -> None:
    must_be(endpoint, asks(endpoint, ""), 400, "expires_in_seconds is required")


@pytest.mark.parametrize("session_s", ["59", "10801", "0", "-60", "long", ""])
def test_a_longest_session_out_of_range_is_400_or_when_strict_422(endpoint: Endpoint, session_s: str) -> None:
    answer = asks(endpoint, urlencode({"expires_in_seconds": 60, "max_session_duration_seconds": session_s}))
    must_be(endpoint, answer, 400, "max_session_duration_seconds is 60 to 10800")


@pytest.mark.parametrize("key", [None, "", "wrong", "Bearer wrong", "Bearer"])
def test_no_token_without_a_key(endpoint: Endpoint, key: str | None) -> None:
    headers = {} if key is None else {"Authorization": key}
    answer = endpoint.asks("/v3/token?expires_in_seconds=60", headers=headers)
    must_be(endpoint, answer, 401, "a token is for who shows a key", strict_status=401 if key else 422)


def test_a_token_buys_no_token(endpoint: Endpoint) -> None:
    token = endpoint.token()
    answer = asks(endpoint, "expires_in_seconds=60", key=token)
    must_be(endpoint, answer, 401, "a token must not prolong itself", strict_status=401)


def test_bearer_is_tolerated_for_a_token(endpoint: Endpoint) -> None:
    answer = asks(endpoint, "expires_in_seconds=60", key=f"Bearer {endpoint.key}")
    if answer.status != 200:
        broken("7.1: Bearer is accepted on /v3/token", f"HTTP {answer.status}")


@pytest.mark.parametrize("session_s", [60, 10_800])
def test_the_cap_of_a_token_is_told_by_begin(endpoint: Endpoint, session_s: int) -> None:
    token = endpoint.token(f"expires_in_seconds=60&max_session_duration_seconds={session_s}")
    called_at_s = time.time()
    call = endpoint.calls(f"token={token}", key=None)
    expires_at, now_s = call.hears_begin()["expires_at"], time.time()
    call.terminates()
    if not called_at_s + session_s - CLOCKS_DIFFER_S <= expires_at <= now_s + session_s + CLOCKS_DIFFER_S:
        broken(f"7.1: the cap shows in Begin.expires_at, in {session_s} s", f"in {expires_at - now_s:.0f} s", call)


def test_a_token_opens_more_than_one_session_in_its_window(endpoint: Endpoint) -> None:
    if not endpoint.is_ours:
        pytest.skip("7.1: documents and reality differ")
    token = endpoint.token()
    calls = [endpoint.calls(f"token={token}", key=None) for _ in range(2)]
    for call in calls:
        call.hears_begin()
    for call in calls:
        call.terminates()


def test_health_answers_2xx(endpoint: Endpoint) -> None:
    answer = endpoint.asks("/v3/ws/health")
    if not 200 <= answer.status < 300:
        broken("1: GET /v3/ws/health answers 200", f"HTTP {answer.status}")


def test_an_unknown_path_is_404(endpoint: Endpoint) -> None:
    answer = endpoint.asks("/v9/token")
    if answer.status != 404:
        broken("1.1: unknown paths answer 404", f"HTTP {answer.status}")


def test_a_plain_request_is_no_session(endpoint: Endpoint) -> None:
    answer = endpoint.asks("/v3/ws", headers={"Authorization": endpoint.key})
    if 200 <= answer.status < 300:
        broken("1: /v3/ws is a WebSocket", f"HTTP {answer.status}")
