"""Why a host can't be reached, as an error and in words that say what to look at: the same for sessions and tokens.
No I/O."""

from __future__ import annotations

import errno
import socket
import ssl

from tympan.client.address import is_encrypted, shown_address
from tympan.client.errors import ClientError, ErrorContext, NetworkError, SilentServer, TlsError

_REFUSED = "connection refused: nothing listens there; is the server running, and is this its port?"
_UNKNOWN_HOST = "no host of that name; check the address"


def unreachable(error: BaseException | str, context: ErrorContext, proxy: str | None = None) -> ClientError:
    """What it means for the client that connecting to the context's address, by way of a proxy or not, raised this."""
    where = context.address
    match error:
        case ssl.SSLError():
            return TlsError(f"no trusted TLS at {where}: {why_untrusted(error)}", context)
        case TimeoutError():
            return SilentServer(f"{where} does not answer; check the address, and what lies between", context)
        case _:
            tls_hint = "; does it speak TLS?" if is_encrypted(where or "") else ""
            reason = why_unreachable(error) or f"it closed the connection during the handshake{tls_hint}"
            way = "" if proxy is None else f" through the proxy {shown_address(proxy)}"
            return NetworkError(f"cannot connect to {where}{way}: {reason}", context)


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
