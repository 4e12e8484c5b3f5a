"""How a conversation gets its connections: to begin a session, or to go on with one. A shell; no rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tympan.client.connection import Connection, Target, open_connection
from tympan.client.errors import ProtocolViolation, SessionLost
from tympan.wire.v3.client import ParameterValue
from tympan.wire.v3.messages import Begin, Resumed

Token = str | Callable[[], Awaitable[str]]
"""A temporary token, or what fetches one for each connection: tokens expire."""


@dataclass(frozen=True, slots=True)
class Dialer:
    """Where, with which parameters and which credential."""

    target: Target
    parameters: Mapping[str, ParameterValue]
    api_key: str | None = field(default=None, repr=False)
    token: Token | None = field(default=None, repr=False)

    async def begin(self, changed: Mapping[str, ParameterValue]) -> tuple[Connection, Begin]:
        """A new session, its parameters as given and then `changed`.

        Raises:
            ClientError: there is none.
        """
        token = self.token if self.token is None or isinstance(self.token, str) else await self.token()
        connection = await open_connection(
            self.target, {**self.parameters, **changed}, api_key=self.api_key, token=token
        )
        first = await _first(connection)
        if isinstance(first, Begin):
            return connection, first
        await connection.close()
        raise ProtocolViolation("the server began with Resumed, expected Begin", connection.context)

    async def resume(self, key: str, messages_received: int) -> tuple[Connection, Resumed]:
        """The session that the key belongs to, again.

        Raises:
            SessionLost: it isn't kept.
            ClientError: no connection.
        """
        connection = await open_connection(self.target, {"resume_key": key, "messages_received": messages_received})
        first = await _first(connection)
        if isinstance(first, Resumed):
            return connection, first
        await connection.close()
        raise SessionLost("the server began another session instead of resuming", connection.context)


async def _first(connection: Connection) -> Begin | Resumed:
    try:
        return await connection.receive_first()
    except BaseException:
        await connection.close()
        raise
