"""Temporary tokens: what a backend makes for a client that must not know the key. Standard library only.

Redirects are refused: the key would travel to wherever they lead.
"""

from __future__ import annotations

import json
import ssl
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from tympan.client.address import is_encrypted, shown_address, token_address
from tympan.client.errors import (
    AuthError,
    ClientError,
    ErrorContext,
    NetworkError,
    Phase,
    ProtocolViolation,
    RequestError,
    ServerError,
)
from tympan.client.proxies import http_proxies
from tympan.client.trust import Trust, check_key, tls_context
from tympan.client.unreachable import unreachable
from tympan.core.errors import MalformedMessage
from tympan.wire.codec import parse_json

_MAX_ANSWER_BYTES = 65_536
_LONGEST_REASON = 300


def mint_token(
    url: str,
    *,
    api_key: str,
    expires_in_s: int = 60,
    max_session_s: int | None = None,
    tls: Trust = None,
    timeout_s: float = 10,
) -> str:
    """A token with which a session may be opened in the next `expires_in_s` seconds (1 to 600).

    `url` is that of the server, as for `connect`; `max_session_s` (60 to 10800) bounds the session. Blocks; in
    asynchronous code call it through `asyncio.to_thread`.

    Raises:
        ClientError: AuthError for a wrong key, RequestError for a value out of range, NetworkError or ServerError.
    """
    query = {"expires_in_seconds": expires_in_s}
    if max_session_s is not None:
        query["max_session_duration_seconds"] = max_session_s
    address = token_address(url, query)
    context = ErrorContext(shown_address(address), Phase.OPENING)
    check_key(api_key, context)
    handlers: list[Any] = [_NoRedirect(), http_proxies(address)]
    if is_encrypted(address):
        handlers.append(HTTPSHandler(context=tls_context(tls)))
    try:
        request = Request(address, headers={"Authorization": api_key})
        with build_opener(*handlers).open(request, timeout=timeout_s) as answer:
            return _token(answer.read(_MAX_ANSWER_BYTES), context)
    except HTTPError as error:
        with error:
            raise _refusal(error, context) from None
    except URLError as error:
        raise unreachable(error.reason, context) from error
    except (ssl.SSLError, TimeoutError) as error:
        raise unreachable(error, context) from error
    except (OSError, ValueError, HTTPException) as error:
        raise NetworkError(f"cannot get a token from {context.address}: {_in_one_line(str(error))}", context) from error


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _token(body: bytes, context: ErrorContext) -> str:
    token = _document(body).get("token")
    if not isinstance(token, str):
        raise ProtocolViolation(f"{context.address} answers without a token", context)
    return token


def _document(body: bytes) -> dict[str, Any]:
    """What the server says; empty where it is no JSON object."""
    try:
        document = parse_json(body)
    except MalformedMessage:
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(error: HTTPError, context: ErrorContext) -> ClientError:
    status = error.code
    context = ErrorContext(context.address, context.phase, http_status=status)
    text = f"{context.address} gives no token (HTTP {status}): {_reason(error)}"
    match status:
        case 401 | 403:
            return AuthError(text, context)
        case 400 | 422:
            return RequestError(text, context)
        case _ if status >= 500:
            return ServerError(text, context)
        case _:
            return NetworkError(text, context)


def _reason(error: HTTPError) -> str:
    """What the server says, in one line."""
    try:
        document = _document(error.read(_MAX_ANSWER_BYTES))
    except (OSError, HTTPException):  # it broke off
        document = {}
    told = document.get("error") or document.get("detail") or error.reason
    return _in_one_line(told if isinstance(told, str) else json.dumps(told))


def _in_one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_REASON]
