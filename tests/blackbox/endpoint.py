"""The service under test: where it is, what is known of it, and how to reach it.

Nothing in this folder but `proof` and `own_servers.py` knows what answers there: the wire is all that is spoken.
"""

from __future__ import annotations

import json
import ssl
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from call import Call
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


class Strictness(StrEnum):
    """What a service does with values outside their range, and with what belongs to another model."""

    LENIENT = "lenient"
    STRICT = "strict"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """What came over plain HTTP."""

    status: int
    text: str

    @property
    def body(self) -> Any:
        """The JSON value; None when it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass
class Endpoint:
    """One service. `url` has scheme, host and port alone.

    `is_ours`: it plays `talk.py`, whatever it hears, and serves the extensions. `realtime_factor`: audio is sent at
    so many times its own pace, 0 without any pause. `interval_s`: time between two connections, where a service
    counts them.
    """

    url: str
    key: str
    strictness: Strictness = Strictness.UNKNOWN
    is_ours: bool = False
    realtime_factor: float = 1.0
    interval_s: float = 0.0
    patience_s: float = 15.0
    authority: ssl.SSLContext | None = None
    _connected_at_s: float = field(default=0.0, init=False)
    _held: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    @property
    def is_strict(self) -> bool:
        return self.strictness is Strictness.STRICT

    def calls(
        self, query: str = "", *, path: str = "/v3/ws", key: str | None = "", headers: dict[str, str] | None = None
    ) -> Call:
        """A new connection: with the service's own key, another one, or None at all."""
        self._wait_for_turn()
        credential = self.key if key == "" else key
        target = f"{path}?{query}" if query else path
        opening = connect(
            self.url + target,
            additional_headers={**({} if credential is None else {"Authorization": credential}), **(headers or {})},
            ssl=self.authority,
            compression=None,
            max_queue=None,
            max_size=None,
            open_timeout=self.patience_s,
            close_timeout=2,
        )
        socket = self._held.enter_context(opening)
        return Call(socket, target.replace(self.key, "KEY"), self.patience_s, self.realtime_factor)

    def hang_up(self) -> None:
        """Close every connection."""
        self._held.close()

    def handshake_status(self, path: str) -> int:
        """The HTTP status with which an upgrade is answered; 101 when it is granted."""
        try:
            self.calls(path=path).hangs_up()
        except InvalidStatus as refusal:
            return refusal.response.status_code
        return 101

    def asks(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None
    ) -> Answer:
        """A plain HTTP request."""
        parts = urlsplit(self.url)
        connection: HTTPConnection = (
            HTTPSConnection(parts.netloc, timeout=self.patience_s, context=self.authority)
            if parts.scheme == "wss"
            else HTTPConnection(parts.netloc, timeout=self.patience_s)
        )
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(errors="replace"))
        finally:
            connection.close()

    def token(self, query: str = "expires_in_seconds=60") -> str:
        """A temporary token, which must be given."""
        answer = self.asks(f"/v3/token?{query}", headers={"Authorization": self.key})
        assert answer.status == 200, f"reference 7.1: GET /v3/token?{query} answers 200, came: {answer}"
        return str(answer.body["token"])

    def _wait_for_turn(self) -> None:
        time.sleep(max(0.0, self._connected_at_s + self.interval_s - time.monotonic()))
        self._connected_at_s = time.monotonic()
