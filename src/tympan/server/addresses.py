"""What is served where; routes, and the compatibility report, are made of it."""

from __future__ import annotations

from tympan.wire.compatibility import Address
from tympan.wire.parameter import State

WEBSOCKET = "WebSocket"

V3 = Address(
    WEBSOCKET,
    ("/v3/ws", "/v3/ws/", "/"),
    State.SAME,
    "the root is where the vendor's self-hosting example connects; a credential may stand behind `Bearer` or `token`; "
    "503 instead of the upgrade while the model loads",
    "a credential behind `Bearer` or `token`, with 1008",
)
V3_HEALTH = Address(
    "GET", ("/v3/ws/health",), State.SAME, "as in the vendor's self-hosting stack; 503 while the model loads"
)
V3_TOKEN = Address(
    "GET",
    ("/v3/token",),
    State.SAME,
    "refuses as documented, with 400 and 401; tokens may be used again unless the operator says otherwise",
    "the same with 422 and a `detail`, as the live service does",
)
V2 = Address(
    WEBSOCKET,
    ("/v2/realtime/ws", "/v2/realtime/ws/"),
    State.SAME,
    "as it was before the hosted service retired it; that answers 410 today",
    "a credential behind `Bearer` or `token`, with 4001",
)
V2_TOKEN = Address("POST", ("/v2/realtime/token",), State.SAME, "likewise")
METRICS = Address("GET", ("/metrics",), State.EXTENSION, "counters for Prometheus, unless the operator turns them off")

ADDRESSES = (V3, V3_HEALTH, V3_TOKEN, V2, V2_TOKEN, METRICS)
