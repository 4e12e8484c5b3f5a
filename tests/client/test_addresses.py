"""Where a server is, and what may be shown of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.client.address import is_this_machine, session_address, shown_address, token_address
from tympan.client.errors import RequestError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("localhost:8000", "ws://localhost:8000/v3/ws?sample_rate=16000"),
        ("localhost", "ws://localhost/v3/ws?sample_rate=16000"),
        ("[::1]:8000", "ws://[::1]:8000/v3/ws?sample_rate=16000"),
        ("http://localhost:8000/", "ws://localhost:8000/v3/ws?sample_rate=16000"),
        ("https://speech.example.org", "wss://speech.example.org/v3/ws?sample_rate=16000"),
        ("wss://example.org/other/ws?token=t", "wss://example.org/other/ws?token=t&sample_rate=16000"),
    ],
)
def test_scheme_and_path_of_an_address_may_be_left_out(url: str, address: str) -> None:
    assert session_address(url, {"sample_rate": 16_000}) == address


def test_tokens_are_made_where_sessions_are() -> None:
    assert token_address("wss://u:p@example.org/v3/ws?a=b", {"expires_in_seconds": 60}) == (
        "https://u:p@example.org/v3/token?expires_in_seconds=60"
    )
    assert token_address("localhost:8000", {}) == "http://localhost:8000/v3/token"


@pytest.mark.parametrize("url", ["ftp://example.org", "ws://", "", "ws://:80", "ws://[", "ws://a:b", "ws://a:0"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(RequestError, match="no address of a server"):
        session_address(url, {})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.8.7", "::1"])
def test_a_loopback_address_is_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize("host", ["localhost.example.org", "127.example.org", "0.0.0.0", "10.0.0.1", "::", ""])
def test_any_other_is_not(host: str) -> None:
    assert not is_this_machine(host)


def test_what_is_shown_of_an_address_holds_no_credential() -> None:
    assert shown_address("wss://user:secret@example.org:1/v3/ws?token=secret#secret") == "wss://example.org:1/v3/ws"
    assert shown_address("user:secret@host") == "host"


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_makes_anything_but_an_address_or_a_refusal(url: str, token: str) -> None:
    try:
        address = session_address(url, {"token": token})
    except RequestError:
        return
    assert address.startswith(("ws://", "wss://"))
    assert "token=" not in shown_address(address)
