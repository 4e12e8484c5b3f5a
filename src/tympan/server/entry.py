"""The way into a session: who asks, what is asked, is there a place. And the way out: the farewell.

Refusals come after the upgrade, as an Error message and a close code, because that is where clients look
for them (protocol reference, section 1.1). Only a server that isn't ready refuses the upgrade itself.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from tympan.core.config import SessionConfig
from tympan.core.errors import TympanError
from tympan.server.connection import CONNECTION_LOST, Connection
from tympan.server.gateway import Gateway, ServedEngine
from tympan.server.tokens import Grant
from tympan.wire.v3.params import ConnectionOptions, parse_query, query_token
from tympan.wire.v3.server import Farewell, farewell

logger = logging.getLogger("tympan.server")


async def serve_v3(socket: WebSocket, gateway: Gateway) -> None:
    """Serve one v3 connection from the upgrade to the close."""
    engine = gateway.engine
    if engine is None:
        body = {"error": "The server is loading its model; try again in a few seconds"}
        await socket.send_denial_response(JSONResponse(body, status_code=503))
        return
    with gateway.visit():
        await _serve(socket, gateway, engine)


async def _serve(socket: WebSocket, gateway: Gateway, engine: ServedEngine) -> None:
    await socket.accept()
    try:
        words = await _hold_session(socket, gateway, engine)
    except TympanError as refusal:
        logger.info("session refused", extra={"protocol": "v3", "why": str(refusal)})
        words = farewell(refusal)
        gateway.metrics.count_ending(words.code)
    except Exception as bug:
        # The boundary of a connection: whatever goes wrong in it ends it and no other.
        logger.exception("connection failed")
        words = farewell(bug)
    if words is not None:
        await _say(socket, words, gateway.config.network.send_timeout_s)


async def _hold_session(socket: WebSocket, gateway: Gateway, engine: ServedEngine) -> Farewell | None:
    grant = gateway.authenticator.admit(socket.headers.get("authorization"), query_token(socket.url.query))
    config, options = _read_query(socket, gateway.config.session, grant)
    if options.requested_model is not None or options.without_effect:
        fields = {"requested_model": options.requested_model, "without_effect": options.without_effect}
        logger.info("some of what a client asks for has no effect", extra=fields)
    with gateway.admission.place():
        return await Connection(socket, gateway, engine, config, options).run()


def _read_query(socket: WebSocket, defaults: SessionConfig, grant: Grant) -> tuple[SessionConfig, ConnectionOptions]:
    config, options = parse_query(
        socket.url.query,
        defaults=defaults,
        strict=defaults.limits.is_strict,
        api_version=socket.headers.get("assemblyai-version"),
    )
    if grant.max_session_s is not None:
        cap_s = min(config.limits.max_duration_s, grant.max_session_s)
        config = replace(config, limits=replace(config.limits, max_duration_s=cap_s))
    return config, options


async def _say(socket: WebSocket, words: Farewell, timeout_s: float) -> None:
    with suppress(*CONNECTION_LOST, TimeoutError):  # nobody is there any more: nothing is left to do
        async with asyncio.timeout(timeout_s):
            for text in words.messages:
                await socket.send_text(text)
            await socket.close(words.code, words.reason)
