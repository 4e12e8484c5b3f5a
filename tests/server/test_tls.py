"""A server that speaks TLS, and files that it can't use."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from running_service import KEY, PATIENCE_S, Client, Start
from websockets.sync.client import connect

from certificates import Certificate, make_certificate
from tympan.core.errors import SettingsError
from tympan.server.config import NetworkConfig, TlsFiles
from tympan.server.settings import load_settings, server_config
from tympan.server.tls import check_tls


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("is_in_one_file", [False, True])
def test_sessions_and_tokens_are_served_over_tls(start: Start, certificate: Certificate, is_in_one_file: bool) -> None:
    files = TlsFiles(certificate.both) if is_in_one_file else TlsFiles(certificate.cert, certificate.key)
    service = start(network=NetworkConfig(tls=files))
    trust = ssl.create_default_context(cafile=certificate.authority)
    headers = {"Authorization": KEY}
    answer = httpx.get(
        f"https://localhost:{service.port}/v3/token?expires_in_seconds=60",
        headers=headers,
        verify=trust,
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 200
    address = f"wss://localhost:{service.port}/v3/ws?token={answer.json()['token']}"
    with connect(address, ssl=trust, compression=None, open_timeout=PATIENCE_S) as connection:
        client = Client(connection)
        assert client.hears()["type"] == "Begin"
        client.says(1500)
        client.sends({"type": "Terminate"})
        messages, code, _ = client.hears_end()
    assert [message["transcript"] for message in messages if message.get("end_of_turn")] == ["hi my name is sonny"]
    assert code == 1000


def test_a_client_gets_no_session_tickets(start: Start, certificate: Certificate) -> None:
    service = start(network=NetworkConfig(tls=TlsFiles(certificate.both)))
    trust = ssl.create_default_context(cafile=certificate.authority)
    with (
        socket.create_connection(("127.0.0.1", service.port)) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.settimeout(PATIENCE_S)
        secure.sendall(b"GET /v3/ws/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert secure.recv(100).startswith(b"HTTP/1.1 200")
        assert secure.version() == "TLSv1.3"
        assert secure.session is None or not secure.session.has_ticket


def test_who_speaks_no_tls_is_cut_and_others_are_served(start: Start, certificate: Certificate) -> None:
    service = start(network=NetworkConfig(tls=TlsFiles(certificate.both)))
    with socket.create_connection(("127.0.0.1", service.port)) as plain:
        plain.settimeout(PATIENCE_S)
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert plain.recv(100) == b""
    trust = ssl.create_default_context(cafile=certificate.authority)
    assert (
        httpx.get(f"https://localhost:{service.port}/v3/ws/health", verify=trust, timeout=PATIENCE_S).status_code == 200
    )


def refusal(cert: Path, key: Path | None = None) -> str:
    with pytest.raises(SettingsError) as wrong:
        check_tls(TlsFiles(cert, key))
    assert "\n" not in str(wrong.value)
    return str(wrong.value)


def test_a_file_that_is_missing_or_unreadable_is_named(certificate: Certificate, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.pem"
    assert refusal(nowhere, certificate.key) == f"tls_cert: cannot read {nowhere}: No such file or directory"
    assert refusal(certificate.cert, nowhere) == f"tls_key: cannot read {nowhere}: No such file or directory"
    assert refusal(certificate.cert, tmp_path) == f"tls_key: cannot read {tmp_path}: Is a directory"


def test_a_key_of_another_certificate_is_told(certificate: Certificate, tmp_path: Path) -> None:
    other = make_certificate(tmp_path)
    assert refusal(certificate.cert, other.key) == (
        f"tls_key: the key in {other.key} is not that of the certificate in {certificate.cert}"
    )


def test_files_with_something_else_in_them_are_told_apart(certificate: Certificate, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    assert refusal(nonsense, certificate.key).startswith(f"tls_cert: {nonsense} holds no certificate")
    assert refusal(certificate.key, certificate.cert).startswith(f"tls_cert: {certificate.key} holds no certificate")
    assert refusal(certificate.cert, nonsense).startswith(f"tls_key: {nonsense} holds no usable private key")
    assert refusal(certificate.cert).startswith(f"tls_key: {certificate.cert} holds no usable private key")


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(certificate: Certificate, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    locked.write_bytes(_locked(certificate.key.read_bytes()))
    assert "without a passphrase" in refusal(certificate.cert, locked)


def _locked(pem: bytes) -> bytes:
    key = serialization.load_pem_private_key(pem, None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def test_a_key_alone_is_of_no_use(certificate: Certificate) -> None:
    with pytest.raises(SettingsError, match="tls_key: a key alone is of no use; give tls_cert too"):
        server_config(load_settings({"tls_key": certificate.key}))
    config = server_config(load_settings({"tls_cert": certificate.cert, "tls_key": certificate.key}))
    assert config.network.tls == TlsFiles(certificate.cert, certificate.key)
