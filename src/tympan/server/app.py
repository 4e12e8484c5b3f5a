"""create_app: a gateway → an ASGI app. Routes only; no globals, no argv, no environment."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from tympan.server import addresses, http
from tympan.server.entry import serve_connection
from tympan.server.gateway import Gateway
from tympan.server.versions import V2, V3

V2_PATHS = addresses.V2.paths
(V2_TOKEN_PATH,) = addresses.V2_TOKEN.paths
ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(gateway: Gateway) -> Starlette:
    """The app that serves a gateway; it may still be loading its engine."""

    async def v3(socket: WebSocket) -> None:
        await serve_connection(socket, gateway, V3())

    async def v2(socket: WebSocket) -> None:
        await serve_connection(socket, gateway, V2(gateway.unix_clock))

    async def health(request: Request) -> Response:
        return http.health(gateway)

    async def token(request: Request) -> Response:
        return http.token(request, gateway)

    async def v2_token(request: Request) -> Response:
        return await http.v2_token(request, gateway.authenticator, gateway.mint)

    async def metrics(request: Request) -> Response:
        return http.metrics(gateway.metrics.render())

    async def lost(request: Request) -> Response:
        return http.not_found()

    async def lost_socket(socket: WebSocket) -> None:
        await socket.send_denial_response(http.not_found())

    routes: list[BaseRoute] = [WebSocketRoute(path, v3) for path in addresses.V3.paths]
    routes += [WebSocketRoute(path, v2) for path in V2_PATHS]
    routes += [Route(path, health) for path in addresses.V3_HEALTH.paths]
    routes += [Route(path, token) for path in addresses.V3_TOKEN.paths]
    routes += [Route(path, v2_token, methods=["POST"]) for path in addresses.V2_TOKEN.paths]
    if gateway.config.has_metrics:
        routes += [Route(path, metrics) for path in addresses.METRICS.paths]
    routes += [
        WebSocketRoute("/{path:path}", lost_socket),
        Route("/{path:path}", lost, methods=ANY_METHOD),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app
