"""Why a host can't be reached, in words that say what to look at. No I/O."""

from __future__ import annotations

import errno
import socket
import ssl

_REFUSED = "connection refused: nothing listens there; is the server running, and is this its port?"
_UNKNOWN_HOST = "no host of that name; check the address"


def why_unreachable(error: BaseException | str) -> str:
    """One line for what connecting raised; empty where the error says nothing."""
    if isinstance(error, ConnectionRefusedError) or _is_refused_everywhere(str(error)):
        return _REFUSED
    if isinstance(error, socket.gaierror):
        return _UNKNOWN_HOST
    return str(error)


def why_untrusted(error: ssl.SSLError) -> str:
    """One line for a TLS handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate can't be verified: {error.verify_message}"
    if error.reason == "WRONG_VERSION_NUMBER":
        return f"no TLS is spoken there; is it ws or http that is meant? ({error.reason})"
    return str(error)


def _is_refused_everywhere(text: str) -> bool:
    """asyncio tries all addresses of a host, and tells of several failures in one error without a number."""
    return text.startswith("Multiple exceptions: ") and text.count("[Errno ") == text.count(
        f"[Errno {errno.ECONNREFUSED}]"
    )
