"""Where finals may be posted, and with which header; what can't be is refused before a session begins."""

from __future__ import annotations

import json
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.config import SessionConfig
from tympan.core.errors import BadParameter
from tympan.wire.v3.params import parse_query
from tympan.wire.v3.webhook import (
    RESERVED_HEADERS,
    Webhook,
    header_name_objection,
    header_value_objection,
    url_objection,
    webhook_body,
)

NAME, VALUE = "webhook_auth_header_name", "webhook_auth_header_value"


def webhook(**parameters: str) -> Webhook | None:
    _, options = parse_query(urlencode(parameters), defaults=SessionConfig(), strict=False)
    return options.webhook


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/a/b?c=d&e=%20#f",
        "HTTP://EXAMPLE.COM:8080/",
        "http://my_host.internal./x",
        "http://93.184.216.34/",
        "http://[2606:2800:220:1:248:1893:25c8:1946]:81/",
        "https://user.example/@me",
    ],
)
def test_an_address_that_may_be_tried(url: str) -> None:
    assert url_objection(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "begins with https:// or http://"),
        ("file:///etc/passwd", "begins with https:// or http://"),
        ("//example.com/", "begins with https:// or http://"),
        ("example.com", "begins with https:// or http://"),
        ("https://", "has no host"),
        ("http:///path", "has no host"),
        ("http://:80/", "has no host"),
        ("http://me:secret@example.com/", "must hold no credential"),
        ("http://example.com@evil.example/", "must hold no credential"),
        ("http://example.com:0/", "port 0"),
        ("http://example.com:99999/", "is not an address"),
        ("http://example.com:8o/", "is not an address"),
        ("http://[::1/", "is not an address"),
        ("http://[fe80::1%25eth0]/", "not an IPv6 address"),
        ("http://[v1.a]/", "not an IPv6 address"),
        ("http://2130706433/", "not an IPv4 address"),
        ("http://0x7f000001/", "not an IPv4 address"),
        ("http://0x7f.0x0.0x0.0x1/", "not an IPv4 address"),
        ("http://0177.0.0.1/", "not an IPv4 address"),
        ("http://127.1/", "not an IPv4 address"),
        ("http://127.0.0.1.5./", "not an IPv4 address"),
        ("http://exa mple.com/", "a character that no address has"),
        ("http://example.com/\r\nX: y", "a character that no address has"),
        ("http://example.com\\@127.0.0.1/", "a character that no address has"),
        ("http://bücher.example/", "a character that no address has"),
        ("http://example%2ecom/", "has no host"),
    ],
)
def test_an_address_that_is_refused_says_why(url: str, reason: str) -> None:
    assert reason in (url_objection(url) or "")


@given(st.text() | st.from_regex(r"https?://[\[\]0-9a-zA-Z.:@%/?#-]*", fullmatch=True))
def test_any_text_is_an_address_or_an_objection(url: str) -> None:
    if url and url_objection(url) is None:
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert parts.username is None
        assert parts.port != 0


def test_a_header_goes_with_an_address() -> None:
    url = "https://example.com/"
    assert webhook(webhook_url=url) == Webhook(url)
    asked = webhook(webhook_url=url, **{NAME: "X-Secret", VALUE: " open sesame "})
    assert asked == Webhook(url, ("X-Secret", "open sesame"))
    assert "sesame" not in repr(asked)
    assert url not in repr(asked)
    assert webhook(**{NAME: "X-Secret", VALUE: "s"}) is None
    assert webhook(webhook_url=url, **{NAME: "", VALUE: ""}) == Webhook(url)


@pytest.mark.parametrize(("given_name", "missing"), [(NAME, VALUE), (VALUE, NAME)])
def test_half_a_header_is_refused(given_name: str, missing: str) -> None:
    with pytest.raises(BadParameter, match=f"Invalid '{missing}': is missing"):
        webhook(webhook_url="https://example.com/", **{given_name: "secret"})


def test_a_header_of_spaces_is_half_a_header() -> None:
    with pytest.raises(BadParameter, match=f"Invalid '{VALUE}': is missing"):
        webhook(webhook_url="https://example.com/", **{NAME: "X-Secret", VALUE: "  "})


@pytest.mark.parametrize("name", ["X-A B", "X:", "ü", "X\r\nY", "Host", "content-LENGTH", "Proxy-Authorization"])
def test_a_name_that_no_header_of_a_request_may_have_is_refused(name: str) -> None:
    assert header_name_objection(name)
    with pytest.raises(BadParameter, match=f"Invalid '{NAME}'"):
        webhook(webhook_url="https://example.com/", **{NAME: name, VALUE: "x"})


def test_names_that_clients_use_are_headers() -> None:
    for name in ("Authorization", "X-Webhook-Secret", "x_api.key", "Cookie"):
        assert header_name_objection(name) is None
        assert name.lower() not in RESERVED_HEADERS


@given(st.text())
def test_a_value_never_ends_its_line(value: str) -> None:
    if header_value_objection(value) is None:
        assert value.isascii()
        assert not set(value) & {"\r", "\n", "\0"}


def test_the_body_is_what_the_protocol_says() -> None:
    body = webhook_body("an-id", ['{"type":"Turn","turn_order":0}', '{"type":"Turn","turn_order":1}'])
    assert json.loads(body) == {
        "session_id": "an-id",
        "messages": [{"type": "Turn", "turn_order": 0}, {"type": "Turn", "turn_order": 1}],
    }
    assert json.loads(webhook_body("an-id", [])) == {"session_id": "an-id", "messages": []}
