"""The plain HTTP side: health, temporary tokens, metrics, and clear words for everything else."""

from __future__ import annotations

from importlib.metadata import version

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from tympan.core.errors import MalformedMessage, ProtocolError, Unauthorized
from tympan.runtime.metrics import CONTENT_TYPE
from tympan.server import unprocessable
from tympan.server.auth import Authenticator
from tympan.server.gateway import Gateway, State
from tympan.server.tokens import TokenMint
from tympan.wire.v2.tokens import parse_token_request

EXPIRES_IN_S = range(1, 601)
MAX_SESSION_S = range(60, 10_801)
"""Allowed values of the two token parameters (protocol reference, section 7.1)."""

NOT_FOUND = {
    "error": "Nothing is served at this path; there are: /v3/ws (WebSocket), /v3/ws/health, GET /v3/token, "
    "/v2/realtime/ws (WebSocket), POST /v2/realtime/token"
}

_FIRST_NAMES = {"expires_in_seconds": "expires_in", "max_session_duration_seconds": "max_session_duration"}
"""What the first official Python SDK with v3 (0.41.0) calls them."""

_TOKEN_PARAMETERS = (
    ("expires_in_seconds", EXPIRES_IN_S, True),
    ("max_session_duration_seconds", MAX_SESSION_S, False),
)
"""Name, allowed values, and whether it must be given."""

_MAX_BODY_BYTES = 10_000
"""Of a request for a token."""


def health(gateway: Gateway) -> Response:
    """200 when sessions may begin, else 503; `status` says why."""
    body: dict[str, object] = {"status": gateway.state, "version": version("tympan")}
    engine = gateway.engine
    if engine is not None:
        body |= {"engine": engine.name, "model": engine.model, "sessions": gateway.admission.active}
    return JSONResponse(body, status_code=200 if gateway.state is State.OK else 503)


def metrics(rendered: bytes) -> Response:
    """Metrics in the Prometheus text format."""
    return Response(rendered, media_type=CONTENT_TYPE)


def token(request: Request, gateway: Gateway) -> Response:
    """A temporary token for who shows a key: 401 without one, 400 for a value out of its range; where strict, 422."""
    is_strict = gateway.config.session.limits.is_strict
    if is_strict and (problem := _strict_problem(request, gateway)):
        return problem
    try:
        grant = gateway.authenticator.require_key(request.headers.get("authorization"))
    except Unauthorized as error:
        return _error(401, f"Unauthorized Connection: {error}", "header", "authorization")
    expires_in_s = _whole(request, "expires_in_seconds", None)
    if expires_in_s not in EXPIRES_IN_S:
        return _range_error("expires_in_seconds", EXPIRES_IN_S)
    max_session_s = _whole(request, "max_session_duration_seconds", MAX_SESSION_S[-1])
    if max_session_s not in MAX_SESSION_S:
        return _range_error("max_session_duration_seconds", MAX_SESSION_S)
    text = gateway.mint.mint(expires_in_s=expires_in_s, max_session_s=max_session_s, key_id=grant.key_id)
    return JSONResponse({"token": text, "expires_in_seconds": expires_in_s}, headers={"Cache-Control": "no-store"})


async def v2_token(request: Request, authenticator: Authenticator, mint: TokenMint) -> Response:
    """The same in the legacy protocol: 401 without a key, 400 for a body that is no request."""
    try:
        grant = authenticator.require_key(request.headers.get("authorization"))
        expires_in_s = parse_token_request(await _body(request))
    except Unauthorized as error:
        return JSONResponse({"error": f"Not Authorized: {error}"}, status_code=401)
    except ProtocolError as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    text = mint.mint(expires_in_s=expires_in_s, max_session_s=MAX_SESSION_S[-1], key_id=grant.key_id)
    return JSONResponse({"token": text}, headers={"Cache-Control": "no-store"})


def not_found() -> Response:
    """404 that says what there is."""
    return JSONResponse(NOT_FOUND, status_code=404)


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > _MAX_BODY_BYTES:
                raise MalformedMessage(f"Invalid Message: more than {_MAX_BODY_BYTES:,} bytes")
    except ClientDisconnect:
        raise MalformedMessage("Invalid Message: it ends too early") from None  # told to nobody
    return body


def _strict_problem(request: Request, gateway: Gateway) -> Response | None:
    """What the hosted service would say to such a request; None where it would look at the key."""
    if not (request.headers.get("authorization") or gateway.config.auth.is_open):
        return unprocessable.missing("header", "authorization")
    for name, allowed, is_required in _TOKEN_PARAMETERS:
        text = request.query_params.get(name, request.query_params.get(_FIRST_NAMES[name]))
        if text is None and is_required:
            return unprocessable.missing("query", name)
        if text is not None and _whole(request, name, None) not in allowed:
            return unprocessable.out_of_range(name, text, allowed)
    return None


def _whole(request: Request, name: str, default: int | None) -> int:
    """The value of a parameter; -1, which no range holds, when it is missing or no whole number."""
    text = request.query_params.get(name, request.query_params.get(_FIRST_NAMES[name]))
    if text is None:
        return -1 if default is None else default
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _range_error(name: str, allowed: range) -> Response:
    message = f"Invalid '{name}': expected a whole number from {allowed[0]} to {allowed[-1]}"
    return _error(400, message, "query", name)


def _error(status: int, message: str, place: str, name: str) -> Response:
    detail = [{"type": "value_error", "loc": [place, name], "msg": message}]
    return JSONResponse({"error": message, "detail": detail}, status_code=status)
