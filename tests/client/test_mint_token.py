"""Temporary tokens: minted with the key, good for a session, and no key told to anybody else."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from running_service import KEY, Service, make_service

from tympan.client import (
    AuthError,
    ClientError,
    NetworkError,
    ProtocolViolation,
    RequestError,
    ServerError,
    SilentServer,
    TlsError,
    mint_token,
)
from tympan.client.sync import connect
from tympan.engines.scripted import Script


@pytest.fixture
def service() -> Iterator[Service]:
    with make_service(Script()) as service:
        yield service


def test_a_token_opens_a_session(service: Service) -> None:
    token = mint_token(service.url, api_key=KEY, expires_in_s=60, max_session_s=120)

    with connect(service.url, token=token) as session:
        assert session.begin.id


def test_a_wrong_key_gets_none(service: Service) -> None:
    with pytest.raises(AuthError, match="Invalid API key") as raised:
        mint_token(service.url, api_key="the-wrong-key")
    assert "the-wrong-key" not in f"{raised.value!r}{raised.value.context}"
    assert raised.value.context.http_status == 401


def test_a_time_out_of_range_is_refused(service: Service) -> None:
    with pytest.raises(RequestError, match="from 1 to 600"):
        mint_token(service.url, api_key=KEY, expires_in_s=601)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers with what the test set."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b""
    location: ClassVar[str | None] = None
    asked: ClassVar[int] = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(self.status)
        if self.location is not None:
            self.send_header("Location", self.location)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def answering(status: int, body: bytes = b"", location: str | None = None) -> Iterator[tuple[str, type[Answer]]]:
    answer = type("Answer", (Answer,), {"status": status, "body": body, "location": location, "asked": 0})
    with http.server.HTTPServer(("127.0.0.1", 0), answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}", answer
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "expected", "text"),
    [
        (200, b"no JSON", ProtocolViolation, "without a token"),
        (200, b'{"token": 1}', ProtocolViolation, "without a token"),
        (422, b'{"detail": [{"msg": "no"}]}', RequestError, '"msg": "no"'),
        (403, b"plain words", AuthError, "HTTP 403"),
        (404, b"", NetworkError, "HTTP 404"),
        (503, b'{"error": "loading"}', ServerError, "loading"),
    ],
)
def test_an_answer_without_a_token_is_an_error(
    status: int, body: bytes, expected: type[ClientError], text: str
) -> None:
    with answering(status, body) as (url, _), pytest.raises(expected, match=text) as raised:
        mint_token(url, api_key=KEY)
    assert type(raised.value) is expected


def test_the_key_does_not_follow_a_redirect() -> None:
    with (
        answering(200, b'{"token": "t"}') as (elsewhere, other),
        answering(302, location=f"http://{elsewhere}/v3/token") as (url, _),
        pytest.raises(NetworkError, match="HTTP 302"),
    ):
        mint_token(url, api_key=KEY)
    assert other.asked == 0


def test_where_nobody_is_there_is_no_token() -> None:
    with pytest.raises(NetworkError, match="cannot connect"):
        mint_token("127.0.0.1:1", api_key=KEY)


def test_a_key_with_a_line_break_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(AuthError, match="line break"):
        mint_token("127.0.0.1:1", api_key=f"{KEY}\n")


def test_an_authority_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match="expected a PEM file"):
        mint_token("https://127.0.0.1:1", api_key=KEY, tls=tmp_path / "none.pem")


def test_a_server_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(SilentServer, match="does not answer"):
        mint_token(f"127.0.0.1:{listening.getsockname()[1]}", api_key=KEY, timeout_s=0.1)
