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
from tympan.server.versions import ProtocolVersion
from tympan.wire.server_protocol import Farewell

logger = logging.getLogger("tympan.server")


async def serve_connection(socket: WebSocket, gateway: Gateway, version: ProtocolVersion) -> None:
    """Serve one connection of a client that speaks this version, from the upgrade to the close."""
    engine = gateway.engine
    if engine is None:
        body = {"error": "The server is loading its model; try again in a few seconds"}
        await socket.send_denial_response(JSONResponse(body, status_code=503))
        return
    with gateway.visit():
        await _serve(socket, gateway, engine, version)


async def _serve(socket: WebSocket, gateway: Gateway, engine: ServedEngine, version: ProtocolVersion) -> None:
    await socket.accept()
    try:
        words = await _hold_session(socket, gateway, engine, version)
    except TympanError as refusal:
        logger.info("session refused", extra={"protocol": version.name, "why": str(refusal)})
        words = version.farewell(refusal)
        gateway.metrics.count_ending(words.code)
    except Exception as bug:
        # The boundary of a connection: whatever goes wrong in it ends it and no other.
        logger.exception("connection failed")
        words = version.farewell(bug)
    if words is not None:
        await _say(socket, words, gateway.config.network.send_timeout_s)


async def _hold_session(
    socket: WebSocket, gateway: Gateway, engine: ServedEngine, version: ProtocolVersion
) -> Farewell | None:
    query = socket.url.query
    grant = gateway.authenticator.admit(socket.headers.get("authorization"), version.token(query))
    asked = version.read(query, socket.headers, _capped(gateway.config.session, grant))
    if asked.remarks:
        logger.info("some of what a client asks for has no effect", extra=dict(asked.remarks))
    with gateway.admission.place():
        connection = Connection(socket, gateway, engine, asked.config, asked.protocol, version.name)
        return await connection.run()


def _capped(defaults: SessionConfig, grant: Grant) -> SessionConfig:
    """The server's configuration, with no longer sessions than the grant allows."""
    if grant.max_session_s is None:
        return defaults
    cap_s = min(defaults.limits.max_duration_s, grant.max_session_s)
    return replace(defaults, limits=replace(defaults.limits, max_duration_s=cap_s))


async def _say(socket: WebSocket, words: Farewell, timeout_s: float) -> None:
    with suppress(*CONNECTION_LOST, TimeoutError):  # nobody is there any more: nothing is left to do
        async with asyncio.timeout(timeout_s):
            for text in words.messages:
                await socket.send_text(text)
            await socket.close(words.code, words.reason)
