"""create_app: a switchboard → an ASGI app. And the way into a call and out of it.

Refusals come after the upgrade, as an error message and a close code: that is where v2 clients look for them.
"""

from __future__ import annotations

import logging
import uuid
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from tympan.bridge.call import Call
from tympan.bridge.switchboard import Switchboard
from tympan.core.errors import TympanError
from tympan.server import addresses, http
from tympan.server.app import ANY_METHOD, V2_PATHS, V2_TOKEN_PATH
from tympan.server.connection import say
from tympan.wire.bridge import refused
from tympan.wire.bridge_parameters import bridge_request
from tympan.wire.server_protocol import Farewell
from tympan.wire.v2.params import query_token

logger = logging.getLogger("tympan.bridge")

HEALTH_PATH = "/health"
NOT_FOUND = {
    "error": "Nothing is served at this path; there are: /v2/realtime/ws (WebSocket), POST /v2/realtime/token, /health"
}


def create_app(switchboard: Switchboard) -> Starlette:
    """The app of a bridge."""

    async def v2(socket: WebSocket) -> None:
        with switchboard.visits.visit():
            await _serve(socket, switchboard)

    async def token(request: Request) -> Response:
        return await http.v2_token(request, switchboard.authenticator, switchboard.mint)

    async def health(request: Request) -> Response:
        status = "stopping" if switchboard.is_stopping else "ok"
        body = {"status": status, "version": version("tympan"), "sessions": switchboard.admission.active}
        return JSONResponse(body, status_code=503 if switchboard.is_stopping else 200)

    async def metrics(request: Request) -> Response:
        return http.metrics(switchboard.metrics.render())

    async def lost(request: Request) -> Response:
        return JSONResponse(NOT_FOUND, status_code=404)

    async def lost_socket(socket: WebSocket) -> None:
        await socket.send_denial_response(JSONResponse(NOT_FOUND, status_code=404))

    routes: list[BaseRoute] = [WebSocketRoute(path, v2) for path in V2_PATHS]
    routes += [
        Route(V2_TOKEN_PATH, token, methods=["POST"]),
        Route(HEALTH_PATH, health),
    ]
    if switchboard.config.has_metrics:
        routes += [Route(path, metrics) for path in addresses.METRICS.paths]
    routes += [
        WebSocketRoute("/{path:path}", lost_socket),
        Route("/{path:path}", lost, methods=ANY_METHOD),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app


async def _serve(socket: WebSocket, switchboard: Switchboard) -> None:
    await socket.accept()
    try:
        words = await _hold_call(socket, switchboard)
    except TympanError as refusal:
        logger.info("session refused", extra={"why": str(refusal)})
        switchboard.metrics.count_refusal(refusal)
        words = refused(refusal)
    except Exception as bug:
        # The boundary of a connection: whatever goes wrong in it ends it and no other.
        logger.exception("connection failed")
        words = refused(bug)
    if words is not None:
        switchboard.metrics.messages.labels("to_client").inc(len(words.messages))
        await say(socket, words, switchboard.config.network.send_timeout_s)


async def _hold_call(socket: WebSocket, switchboard: Switchboard) -> Farewell | None:
    query = socket.url.query
    grant = switchboard.authenticator.admit(socket.headers.get("authorization"), query_token(query))
    request = bridge_request(query)
    with switchboard.admission.place():
        return await Call(socket, switchboard, request, str(uuid.uuid4()), grant.max_session_s).run()
