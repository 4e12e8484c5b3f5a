"""Which certificates are trusted, and which keys may be sent. A shell only where a file is read."""

from __future__ import annotations

import ssl
from pathlib import Path

from tympan.client.errors import AuthError, ErrorContext, TlsError

Trust = ssl.SSLContext | str | Path | None
"""A context, the path of a PEM file with the certificate authorities to trust besides the system's, or None."""


def tls_context(trust: Trust) -> ssl.SSLContext:
    """The context that trusts so.

    Raises:
        TlsError: the file can't be read or holds no certificate.
    """
    if isinstance(trust, ssl.SSLContext):
        return trust
    context = ssl.create_default_context()
    if trust is not None:
        try:
            context.load_verify_locations(cafile=str(trust))
        except (OSError, ssl.SSLError, ValueError) as error:  # ValueError: no path
            raise TlsError(f"{trust}: expected a PEM file with certificates, got: {error}") from error
    return context


def check_key(api_key: str, context: ErrorContext) -> None:
    """A key travels in a header. Raises AuthError when it can't."""
    if not (api_key.isascii() and api_key.isprintable()):
        raise AuthError("the API key holds characters that no key has; was it copied with a line break?", context)
