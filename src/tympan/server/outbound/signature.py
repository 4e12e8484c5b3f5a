"""Signatures of what is posted, by the public scheme Standard Webhooks (standardwebhooks.com). PURE.

The receiver, which has the same secret, checks `webhook-signature` with any library of that scheme. The id stays the
same over all attempts, so that a receiver can tell a delivery that it has had already.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)
"""Length of the key that the scheme allows."""


def read_secret(text: str) -> bytes:
    """The key in a secret as the scheme writes it: `whsec_` and base64.

    Raises:
        ValueError: it is no such secret; the text says what was expected and doesn't quote it.
    """
    expected = f"expected {PREFIX!r} and {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} bytes in base64"
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(PREFIX) or len(key) not in SECRET_BYTES:
        raise ValueError(expected)
    return key


def signed_headers(key: bytes, message_id: str, unix_s: int, body: bytes) -> dict[str, str]:
    """The three headers of the scheme for a body that is sent at that time."""
    signed = b".".join((message_id.encode(), str(unix_s).encode(), body))
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(unix_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
