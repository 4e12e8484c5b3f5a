"""Bytes below the protocol that no honest client sends: each connection ends, nothing stays, the log shows no error."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from running_service import KEY, PATIENCE_S, Service, eventually
from test_hostile_clients import MASK, handshake

from tympan.server.listening import LONGEST_REQUEST_BYTES
from tympan.server.transports import MAX_FRAGMENTS

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "serve.md"


@pytest.fixture(autouse=True)
def _no_error_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def answer(service: Service, request: bytes) -> bytes:
    """All that the server says to a raw connection, until it closes."""
    with closing(socket.create_connection(("127.0.0.1", service.port))) as raw:
        raw.settimeout(PATIENCE_S)
        raw.sendall(request)
        told = b""
        with suppress(ConnectionResetError):
            while piece := raw.recv(65_536):
                told += piece
    return told


def upgrade(*, target: str = "/v3/ws", headers: str = "") -> bytes:
    return (
        f"GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: {KEY}\r\n{headers}\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (upgrade(target="/v3/ws?prompt=" + "a" * 66_000), b"414"),
        (upgrade(headers=f"X-Long: {'a' * 66_000}\r\n"), b"431"),
        (upgrade(headers="".join(f"X-{n}: a\r\n" for n in range(130))), b"431"),
    ],
    ids=["a long query", "a long header", "many headers"],
)
def test_a_handshake_too_long_to_be_read_is_answered_and_closed(
    service: Service, request_bytes: bytes, status: bytes
) -> None:
    assert answer(service, request_bytes).split()[1] == status
    assert eventually(service.is_idle)


def test_the_page_tells_how_long_a_request_may_be() -> None:
    assert f"the query included, may have {LONGEST_REQUEST_BYTES // 1024} KiB" in PAGE.read_text(encoding="utf-8")


def test_a_handshake_with_a_body_is_closed(service: Service) -> None:
    answer(service, upgrade(headers="Content-Length: 5\r\n") + b"hello")
    assert eventually(service.is_idle)


@pytest.mark.parametrize("host", ["[", "a?token=b", "a#b", "@:99999999", ""])
def test_a_host_that_is_none_does_no_harm(service: Service, host: str) -> None:
    with closing(socket.create_connection(("127.0.0.1", service.port))) as raw:
        raw.settimeout(PATIENCE_S)
        raw.sendall(upgrade().replace(b"Host: x", b"Host: " + host.encode()))
        told = b""
        while b'"type":"Begin"' not in told:
            piece = raw.recv(65_536)
            assert piece, f"closed after {told!r}"
            told += piece


@pytest.mark.parametrize("piece", [b"\0\x80" + MASK, b"\0\x81" + MASK + b"{"], ids=["empty", "one byte"])
def test_a_message_in_pieces_without_end_is_1009(service: Service, piece: bytes) -> None:
    with closing(handshake(service)) as raw:
        raw.settimeout(PATIENCE_S)
        with suppress(OSError):
            raw.sendall(b"\x01\x80" + MASK + piece * (MAX_FRAGMENTS + 1))
        told = b""
        with suppress(ConnectionResetError):
            while received := raw.recv(65_536):
                told += received
    assert b"\x03\xf1a message in more than 1024 pieces" in told
    assert eventually(service.is_idle)


def test_a_message_in_as_many_pieces_as_may_be_is_read(service: Service) -> None:
    text = b'{"type": "Terminate"}'
    pieces = b"\0\x80" + MASK
    with closing(handshake(service)) as raw:
        raw.settimeout(PATIENCE_S)
        raw.sendall(b"\x01\x80" + MASK + pieces * (MAX_FRAGMENTS - 2) + bytes([0x80, 0x80 | len(text)]) + MASK + text)
        told = b""
        while received := raw.recv(65_536):
            told += received
    assert b'"type":"Termination"' in told


def test_a_request_for_a_token_that_breaks_off_is_no_error_of_ours(service: Service) -> None:
    request = (
        f"POST /v2/realtime/token HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\nContent-Length: 100\r\n\r\n"
    ).encode()
    with closing(socket.create_connection(("127.0.0.1", service.port))) as raw:
        raw.sendall(request + b'{"expires_in"')
        assert eventually(lambda: bool(service.server.server_state.tasks))
    assert eventually(service.is_idle)
