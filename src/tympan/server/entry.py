"""The way into a session: who asks, what is asked, is there a place. And the way out: the farewell.

Refusals come after the upgrade, as an Error message and a close code, because that is where clients look
for them (protocol reference, section 1.1). Only a server that isn't ready refuses the upgrade itself.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from tympan.core.config import SessionConfig
from tympan.core.errors import NotResumable, TympanError
from tympan.server.connection import Connection, say
from tympan.server.conversation import Conversation
from tympan.server.gateway import Gateway, ServedEngine
from tympan.server.resumable import ResumableConversation
from tympan.server.stage import PATIENCE_S
from tympan.server.tokens import Grant
from tympan.server.versions import ProtocolVersion
from tympan.wire.server_protocol import ResumeRequest

logger = logging.getLogger("tympan.server")


async def serve_connection(socket: WebSocket, gateway: Gateway, version: ProtocolVersion) -> None:
    """Serve one connection of a client that speaks this version, from the upgrade to the close."""
    engine = gateway.engine
    if engine is None:
        body = {"error": "The server is loading its model; try again in a few seconds"}
        await socket.send_denial_response(JSONResponse(body, status_code=503))
        return
    with gateway.visits.visit():
        await _serve(socket, gateway, engine, version)


async def _serve(socket: WebSocket, gateway: Gateway, engine: ServedEngine, version: ProtocolVersion) -> None:
    await socket.accept()
    network = gateway.config.network
    staged = None if engine.stage is None else engine.stage.admit(socket)
    line = staged or socket
    try:
        conversation, opening = _session(socket, gateway, engine, version)
        if staged is not None:
            staged.follow(conversation)
            network = replace(network, send_timeout_s=PATIENCE_S)
        code = await Connection(line, conversation, network, opening).run()
        gateway.metrics.count_ending(code)
        return
    except TympanError as refusal:
        logger.info("session refused", extra={"protocol": version.name, "why": str(refusal)})
        gateway.metrics.count_refusal(refusal)
        words = version.farewell(refusal)
        gateway.metrics.count_ending(words.code)
    except Exception as bug:
        # The boundary of a connection: whatever goes wrong in it ends it and no other.
        logger.exception("connection failed")
        words = version.farewell(bug)
    await say(line, words, network.send_timeout_s)


def _session(
    socket: WebSocket, gateway: Gateway, engine: ServedEngine, version: ProtocolVersion
) -> tuple[Conversation, tuple[str, ...]]:
    """The session of a client that is let in, one of its own or one that it resumes, and what to tell first."""
    query = socket.url.query
    request = version.resume_request(query)
    if request is not None:
        return _resume(gateway, request)
    grant = gateway.authenticator.admit(socket.headers.get("authorization"), version.token(query))
    asked = version.read(query, socket.headers, _capped(gateway.config.session, grant))
    if asked.webhook is not None:
        gateway.deliveries.check(asked.webhook)
    if asked.prompt is not None and gateway.language_model is None:
        logger.info("llm_gateway has no effect: llm_gateway_url is not set")
    if asked.remarks:
        logger.info("some of what a client asks for has no effect", extra=dict(asked.remarks))
    is_kept = asked.is_resumable and gateway.config.resume_window_s > 0
    conversation = (ResumableConversation if is_kept else Conversation)(gateway, engine, asked, version.name)
    conversation.open(grant.key_id)
    return conversation, ()


def _resume(gateway: Gateway, request: ResumeRequest) -> tuple[ResumableConversation, tuple[str, ...]]:
    """The session of a key, and what to tell first. The key is all that is needed: it is for one session."""
    try:
        conversation = gateway.resume_keys.find(request.key)
        opening = conversation.resume(request.messages_received)
    except NotResumable:
        gateway.metrics.resumes.labels("refused").inc()
        raise
    gateway.metrics.resumes.labels("resumed").inc()
    return conversation, opening


def _capped(defaults: SessionConfig, grant: Grant) -> SessionConfig:
    """The server's configuration, with no longer sessions than the grant allows."""
    if grant.max_session_s is None:
        return defaults
    cap_s = min(defaults.limits.max_duration_s, grant.max_session_s)
    return replace(defaults, limits=replace(defaults.limits, max_duration_s=cap_s))
