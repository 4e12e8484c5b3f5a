"""Which certificates are trusted: the system's, a file's, or a context that the caller made."""

from __future__ import annotations

import ssl
from pathlib import Path

from tympan.client.errors import TlsError

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
        except (OSError, ssl.SSLError) as error:
            raise TlsError(f"{trust}: expected a PEM file with certificates, got: {error}") from error
    return context
