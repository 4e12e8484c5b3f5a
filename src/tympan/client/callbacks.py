"""A client with callbacks, in the style of the official SDK: a thin layer over `tympan.client.sync`.

    client = StreamingClient("ws://127.0.0.1:8000", api_key="KEY")
    client.on(Turn, lambda client, turn: print(turn.transcript))
    client.connect(SessionParameters(sample_rate=16000))
    client.stream(chunks)
    client.disconnect(terminate=True)

Rules:
- Callbacks run one after the other in one thread, in the order of events, never before `connect` was called.
- `on(ClientError, …)` is told why a session failed. A failure that no callback takes is raised by `disconnect`.
- A callback that raises doesn't end the session: the others still run, its exception is logged at once and raised
  by `disconnect`, as a CallbackError.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

from tympan.client import sync
from tympan.client.errors import CallbackError, ClientError, SessionOver
from tympan.client.events import Event
from tympan.client.parameters import SessionParameters
from tympan.core.errors import UsageError
from tympan.wire.v3.client import ParameterValue
from tympan.wire.v3.messages import Begin, UpdateConfiguration

logger = logging.getLogger("tympan.client")

E = TypeVar("E", bound=Begin | Event | ClientError)


class StreamingClient:
    """One session at a time, told by callbacks. `options` are those of `sync.connect`."""

    def __init__(self, url: str, *, api_key: str | None = None, token: str | None = None, **options: Any) -> None:
        self._url = url
        self._options = {**options, "api_key": api_key, "token": token}
        self._callbacks: list[tuple[type[Any], Callable[[StreamingClient, Any], None]]] = []
        self._stack = ExitStack()
        self._session: sync.Session | None = None
        self._teller: threading.Thread | None = None
        self._failure: ClientError | None = None

    def on(self, event_type: type[E], callback: Callable[[StreamingClient, E], None]) -> None:
        """Call it with this client and each event of that type; with each ClientError for a failure."""
        self._callbacks.append((event_type, callback))

    def connect(self, parameters: SessionParameters | Mapping[str, ParameterValue] | None = None) -> None:
        """Open a session; `Begin` is told by callback.

        Raises:
            ClientError: no server there, or it refuses the session.
            UsageError: a session is open already.
        """
        if self._session is not None:
            raise UsageError("connect() while a session is open; call disconnect() first")
        self._failure = None
        self._session = self._stack.enter_context(sync.connect(self._url, parameters=parameters, **self._options))
        self._teller = threading.Thread(
            target=self._tell_all, args=(self._session,), name="tympan client callbacks", daemon=True
        )
        self._teller.start()

    def stream(self, data: bytes | Iterable[bytes]) -> None:
        """Send audio: a chunk, or all that an iterable yields. Returns early when the session is over.

        Raises:
            UsageError: no session is open. BufferFull: as `sync.Session.send_audio`.
        """
        with suppress(SessionOver):
            for chunk in (data,) if isinstance(data, bytes) else data:
                self._open_session().send_audio(chunk)

    def force_endpoint(self) -> None:
        """End the open turn where the audio stands now."""
        self._open_session().force_endpoint()

    def update(self, changes: UpdateConfiguration) -> None:
        """Change the session from now on."""
        self._open_session().update(changes)

    def disconnect(self, terminate: bool = False) -> None:
        """Close the session. With `terminate` the last turns and `Termination` are told before. Idempotent.

        Called by a callback, it ends the session without waiting: the thread it would wait for is its own.

        Raises:
            ClientError: the session failed and no callback took it. CallbackError: a callback raised.
        """
        session, teller = self._session, self._teller
        if session is None or teller is None:
            return
        if threading.current_thread() is teller:
            session.terminate()
            return
        is_graceful = False
        try:
            if terminate:
                session.terminate()
                teller.join()
                is_graceful = True
        finally:
            self._session = self._teller = None
            self._leave(teller, is_graceful=is_graceful)
        if self._failure is not None:
            raise self._failure

    def _leave(self, teller: threading.Thread, *, is_graceful: bool) -> None:
        if is_graceful:
            self._stack.close()
        else:
            # As an exception in the block would: at once.
            self._stack.__exit__(SessionOver, SessionOver("disconnect() was called"), None)
        teller.join()

    def _open_session(self) -> sync.Session:
        if self._session is None:
            raise UsageError("no session is open; call connect() first")
        return self._session

    def _tell_all(self, session: sync.Session) -> None:
        self._tell(session.begin)
        try:
            for event in session:
                self._tell(event)
        except SessionOver:
            pass  # disconnect() left before the next event was asked for
        except ClientError as error:
            if not self._tell(error):
                self._failure = self._failure or error

    def _tell(self, event: Begin | Event | ClientError) -> bool:
        """Whether somebody was told."""
        wanted = [callback for event_type, callback in self._callbacks if isinstance(event, event_type)]
        for callback in wanted:
            try:
                callback(self, event)
            except Exception as error:  # the caller's; the session doesn't end with it
                logger.exception("a callback failed")
                failure = CallbackError(f"the callback for {type(event).__name__} raised {error!r}")
                failure.__cause__ = error
                self._failure = self._failure or failure
        return bool(wanted)
