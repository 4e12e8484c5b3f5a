"""Who may connect (protocol reference, sections 1 and 1.1)."""

from __future__ import annotations

import pytest
from call import Call, broken
from endpoint import Endpoint, Strictness

MISSING = "Unauthorized Connection: Missing Authorization header"
INVALID = "Unauthorized Connection: Invalid API key"
EXPIRED = "Unauthorized Connection: Signature has expired"


def refused(call: Call, text: str, says: str) -> None:
    """After the upgrade: Error 1008, close 1008."""
    call.hears_refusal(says).must_be(1008, text, says, is_before_begin=True)


def test_a_raw_key_in_the_header_opens_a_session(endpoint: Endpoint) -> None:
    call = endpoint.calls()
    call.hears_begin()
    call.terminates()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token"])
def test_a_key_behind_a_scheme_is_tolerated_or_when_strict_1008(endpoint: Endpoint, scheme: str) -> None:
    if endpoint.strictness is Strictness.UNKNOWN:
        pytest.skip("1.1: the hosted service refuses Bearer on the WebSocket, others may tolerate it")
    call = endpoint.calls(key=f"{scheme} {endpoint.key}")
    if endpoint.is_strict:
        refused(call, INVALID, "1.1: a key behind a scheme is refused")
    else:
        call.hears_begin()
        call.terminates()


def test_a_key_in_the_query_opens_a_session(endpoint: Endpoint) -> None:
    if not endpoint.is_ours:
        pytest.skip("an extension: elsewhere the query holds temporary tokens")
    call = endpoint.calls(f"token={endpoint.key}", key=None)
    call.hears_begin()
    call.terminates()


@pytest.mark.parametrize("place", ["query", "header"])
def test_a_temporary_token_opens_a_session_from_either_place(endpoint: Endpoint, place: str) -> None:
    token = endpoint.token()
    call = endpoint.calls(f"token={token}", key=None) if place == "query" else endpoint.calls(key=token)
    call.hears_begin()
    call.terminates()


def test_no_credential_is_1008(endpoint: Endpoint) -> None:
    refused(endpoint.calls(key=None), MISSING, "1.1: without a credential, Error 1008")


@pytest.mark.parametrize("query", ["token=", "token"])
def test_an_empty_token_is_no_credential(endpoint: Endpoint, query: str) -> None:
    refused(endpoint.calls(query, key=None), MISSING, "1.1: an empty token is none, Error 1008")


WRONG_KEYS = {
    "another": "wrong",
    "one with a point": "a.b.c",
    "a scheme alone": "Bearer",
    "text of a token": "eyJ0.e30.x",
}


@pytest.mark.parametrize("key", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_wrong_key_is_1008(endpoint: Endpoint, key: str) -> None:
    refused(endpoint.calls(key=key), INVALID, "1.1: a wrong key, Error 1008")


def test_a_key_with_a_letter_more_or_less_is_1008(endpoint: Endpoint) -> None:
    for key in filter(None, (endpoint.key + "x", endpoint.key[:-1])):
        refused(endpoint.calls(key=key), INVALID, "1.1: a wrong key, Error 1008")


@pytest.mark.parametrize("place", ["query", "header"])
def test_a_wrong_token_is_1008(endpoint: Endpoint, place: str) -> None:
    call = endpoint.calls("token=wrong", key=None) if place == "query" else endpoint.calls(key="wrong")
    refused(call, INVALID, "1.1: a wrong token, Error 1008")


def test_a_tampered_token_is_1008(endpoint: Endpoint) -> None:
    token = endpoint.token()
    tampered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    refused(endpoint.calls(f"token={tampered}", key=None), INVALID, "1.1: a wrong token, Error 1008")


def test_who_asks_is_judged_before_what_is_asked(endpoint: Endpoint) -> None:
    refused(endpoint.calls("sample_rate=7", key="wrong"), INVALID, "1.1: a wrong key, Error 1008")


def test_a_failure_does_not_count_against_the_next_session(endpoint: Endpoint) -> None:
    for _ in range(3):  # as often as the JavaScript SDK tries
        refused(endpoint.calls(key="wrong"), INVALID, "1.1: a wrong key, Error 1008")
    call = endpoint.calls()
    call.hears_begin()
    call.terminates()


@pytest.mark.parametrize("key", [None, "self-hosted", "Bearer x"])
def test_without_authentication_anything_opens_a_session(open_door: Endpoint, key: str | None) -> None:
    call = open_door.calls(key=key)
    call.hears_begin()
    call.terminates()


def test_a_token_that_may_be_used_once_opens_one_session(limited: Endpoint) -> None:
    token = limited.token()
    call = limited.calls(f"token={token}", key=None)
    call.hears_begin()
    call.terminates()
    refused(limited.calls(f"token={token}", key=None), INVALID, "7.1: single-use tokens")


@pytest.mark.parametrize("path", ["/v3/ws", "/v3/ws/", "/"])
def test_the_paths_of_v3_are_served(endpoint: Endpoint, path: str) -> None:
    if path != "/v3/ws" and not endpoint.is_ours:
        pytest.skip("1 only proposes it")
    call = endpoint.calls(path=path)
    call.hears_begin()
    call.terminates()


def test_an_unknown_path_is_refused_with_an_http_status(endpoint: Endpoint) -> None:
    status = endpoint.handshake_status("/v9/ws")
    if status != 404:
        broken("1.1: unknown paths answer 404", f"HTTP {status}")
