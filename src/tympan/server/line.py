"""What a connection needs of a socket. Starlette's `WebSocket` has it; so has what stands before one (`stage`)."""

from __future__ import annotations

from typing import Any, Protocol


class Line(Protocol):
    """The way to one client, open."""

    async def receive(self) -> Any:
        """The next ASGI message: `websocket.receive` or, once, `websocket.disconnect`."""

    async def send_text(self, data: str) -> None:
        """Send a text message."""

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close with this code."""
