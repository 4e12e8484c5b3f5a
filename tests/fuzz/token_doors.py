"""Doors for what proves who somebody is: keys, tokens, secrets and certificates."""

from __future__ import annotations

from pathlib import Path

from door import Door, json_lines, text_of

from tympan.client.errors import ClientError, ErrorContext, TlsError
from tympan.client.tokens import _token
from tympan.client.trust import tls_context
from tympan.core.errors import ProtocolError, SettingsError, Unauthorized
from tympan.migrate.probe import reach as probe_reach
from tympan.server.auth import Authenticator
from tympan.server.config import AuthConfig, TlsFiles
from tympan.server.outbound.signature import read_secret
from tympan.server.tls import check_tls
from tympan.server.tokens import TokenMint
from tympan.wire.v2.tokens import parse_token_request

SECRET = "secret of the fuzzing"


def webhook_secret(data: bytes, _: Path) -> None:
    assert read_secret(text_of(data))


def temporary_token(data: bytes, _: Path) -> None:
    judge = Authenticator(AuthConfig(api_keys=("the-right-key",)), TokenMint(SECRET, is_single_use=True))
    header = data.decode("latin-1")  # as ASGI servers give headers
    judge.admit(header, None)
    judge.admit(None, text_of(data))
    judge.require_key(header)


def token_request(data: bytes, _: Path) -> None:
    assert parse_token_request(data) >= 60


def token_answer(data: bytes, _: Path) -> None:
    assert isinstance(_token(data, ErrorContext("ws://localhost")), str)


def certificate(data: bytes, folder: Path) -> None:
    file = folder / "cert.pem"
    file.write_bytes(data)
    check_tls(TlsFiles(file))


def authorities(data: bytes, folder: Path) -> None:
    file = folder / "ca.pem"
    file.write_bytes(data)
    probe_reach.tls_context(file)
    tls_context(file)


DOORS = (
    Door(
        "credential: header, query or JWT",
        temporary_token,
        (Unauthorized,),
        (b"Bearer the-right-key", b"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjEsImp0aSI6ImEiLCJtYXhfc2Vzc2lvbl9zIjo2MH0.AAAA"),
        ("tympan.server.tokens:TokenMint.redeem",),
    ),
    Door(
        "body of a v2 request for a token",
        token_request,
        (ProtocolError,),
        json_lines({"expires_in": 60}),
        ("tympan.wire.v2.tokens:parse_token_request",),
    ),
    Door(
        "answer of a server that makes tokens",
        token_answer,
        (ClientError,),
        json_lines({"token": "abc", "expires_in_seconds": 60}, {"error": "no", "detail": [{"msg": "no"}]}),
        ("tympan.client.tokens:_document",),
    ),
    Door(
        "secret that signs webhooks",
        webhook_secret,
        (ValueError,),
        (b"whsec_" + b"A" * 32,),
        ("tympan.server.outbound.signature:read_secret",),
    ),
    Door(
        "certificate and key of a server",
        certificate,
        (SettingsError,),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n",),
        (
            "tympan.server.tls:check_tls",
            "tympan.server.tls:_check_readable",
            "tympan.server.tls:_has_certificate",
        ),
    ),
    Door(
        "certificates of authorities",
        authorities,
        (TlsError, SettingsError),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",),
        ("tympan.client.trust:tls_context", "tympan.migrate.probe.reach:tls_context"),
        is_slow=True,
    ),
)
