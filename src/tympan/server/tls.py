"""The certificate and the key of a server that speaks TLS, checked before anything starts."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from tympan.core.errors import SettingsError
from tympan.server.config import TlsFiles


def check_tls(files: TlsFiles) -> None:
    """Try the files.

    Raises:
        SettingsError: one is missing or unreadable, none holds what it should, or they don't belong together.
    """
    _check_readable("tls_cert", files.cert)
    if files.key is not None:
        _check_readable("tls_key", files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An empty passphrase: without one, OpenSSL asks for it on the terminal.
        context.load_cert_chain(files.cert, files.key, password=lambda: "")
    except ssl.SSLError as error:
        raise SettingsError(_reason(files, error)) from None


def _check_readable(setting: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{setting}: cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{setting}: {str(path)!r} is no path of a file: {error}") from None


def _reason(files: TlsFiles, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"tls_key: the key in {files.key or files.cert} is not that of the certificate in {files.cert}"
    if not _has_certificate(files.cert):
        return f"tls_cert: {files.cert} holds no certificate; expected a PEM file, the server's own certificate first"
    if files.key is None:
        return f"tls_key: {files.cert} holds no usable private key; give the file that does"
    return f"tls_key: {files.key} holds no usable private key; expected a PEM file without a passphrase"


def _has_certificate(path: Path) -> bool:
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        return False
    return True


def without_tickets(_config: object, make_context: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """The context that uvicorn makes, but a client gets no session tickets to resume its TLS session with.

    A ticket may come while a client with a thread for each direction sends its first request, and older official
    Python SDKs then miss the answer now and then: `assemblyai/streaming/v3/_tls.py` of 1.8.2 tells why, and mends it.
    Nothing is lost: every session of ours is one connection.
    """
    context = make_context()
    context.num_tickets = 0
    return context
