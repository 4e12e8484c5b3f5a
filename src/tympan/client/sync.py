"""The same client without `async`: a facade over `tympan.client.aio`, run by one thread of its own.

    with connect(url, api_key=key, parameters=SessionParameters(sample_rate=16000)) as session:
        session.send_audio(chunk)
        session.terminate()
        for event in session:
            ...

Rules: every call runs the asynchronous one of the same name in the background loop and waits for it, so names,
meanings and errors are the same. One thread may send while another iterates. An exception while a call waits
(Ctrl+C above all) cancels what it waits for. The thread has ended when the block is left; a call that another
thread makes after that, or that still waits then, raises SessionOver.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

from tympan.client import aio
from tympan.client.aio import MAX_KEPT_AUDIO_S
from tympan.client.audio_source import AudioSource
from tympan.client.connection import Timeouts
from tympan.client.errors import SessionOver
from tympan.client.events import Event
from tympan.client.parameters import SessionParameters
from tympan.client.retry import ReconnectPolicy
from tympan.client.trust import Trust
from tympan.wire.v3.client import ParameterValue
from tympan.wire.v3.messages import Begin, PlainClientMessage, UpdateConfiguration

T = TypeVar("T")


class _Background:
    """One event loop in one thread."""

    def __init__(self) -> None:
        self._is_over = False
        self._is_taken = threading.Lock()
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tympan client", daemon=True)
        self._thread.start()
        self._is_ready.wait()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that runs in the loop. Raises SessionOver where the loop has ended before it."""
        with self._is_taken:
            if self._is_over:
                work.close()
                raise SessionOver("the block of connect() has been left")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise SessionOver("the block of connect() was left while this call waited") from None
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the thread; what still runs in the loop is cancelled."""
        with self._is_taken:  # whatever was asked before this is at least begun, so no call waits for ever
            self._is_over = True
            self._loop.call_soon_threadsafe(self._is_stopped.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._is_stopped = asyncio.Event()
            self._is_ready.set()
            runner.run(self._wait())

    async def _wait(self) -> None:
        await self._is_stopped.wait()


@contextmanager
def connect(
    url: str,
    *,
    api_key: str | None = None,
    token: str | None = None,
    parameters: SessionParameters | Mapping[str, ParameterValue] | None = None,
    tls: Trust = None,
    proxy: str | Literal[True] | None = True,
    reconnect: ReconnectPolicy | None = ReconnectPolicy(),  # noqa: B008  (frozen)
    timeouts: Timeouts = Timeouts(),  # noqa: B008
    max_kept_audio_s: float = MAX_KEPT_AUDIO_S,
) -> Iterator[Session]:
    """Open a session and wait for its `Begin`. All arguments mean what they mean in `aio.connect`.

    Raises:
        ClientError: as `aio.connect` does.
    """
    background = _Background()
    opening = aio.connect(
        url,
        api_key=api_key,
        token=token,
        parameters=parameters,
        tls=tls,
        proxy=proxy,
        reconnect=reconnect,
        timeouts=timeouts,
        max_kept_audio_s=max_kept_audio_s,
    )
    try:
        session = background.call(opening.__aenter__())
        try:
            yield Session(session, background)
        except BaseException as error:
            background.call(opening.__aexit__(type(error), error, error.__traceback__))
            raise
        background.call(opening.__aexit__(None, None, None))
    finally:
        background.stop()


class Session:
    """An open session; every method does what the one of `aio` does, and waits for it."""

    def __init__(self, session: aio.Session, background: _Background) -> None:
        self._session = session
        self._background = background

    @property
    def begin(self) -> Begin:
        """Of the first connection."""
        return self._session.begin

    def send_audio(self, payload: bytes) -> None:
        """Send audio of any length. Raises SessionOver or BufferFull."""
        self._background.call(self._session.send_audio(payload))

    def send_from(self, source: AudioSource | Iterable[bytes]) -> None:
        """Send all that a source or an iterable yields; ends with the session. An iterable runs in this thread."""
        if isinstance(source, AudioSource):
            self._background.call(self._session.send_from(source))
            return
        with suppress(SessionOver):
            for chunk in source:
                self.send_audio(chunk)

    def send(self, message: PlainClientMessage) -> None:
        """Send a control message; it acts in order with the audio."""
        self._background.call(self._session.send(message))

    def force_endpoint(self) -> None:
        """End the open turn where the audio stands now."""
        self._background.call(self._session.force_endpoint())

    def update(self, changes: UpdateConfiguration) -> None:
        """Change the session from now on, over all connections."""
        self._background.call(self._session.update(changes))

    def keep_alive(self) -> None:
        """Reset the server's inactivity timer."""
        self._background.call(self._session.keep_alive())

    def terminate(self) -> None:
        """No more audio: the last turns and `Termination` are still to be iterated. Idempotent."""
        self._background.call(self._session.terminate())

    def receive(self) -> Event | None:
        """The next event; None after the last one. Raises the ClientError that ended the session."""
        return self._background.call(self._session.receive())

    def __iter__(self) -> Iterator[Event]:
        """Events up to and with `Termination`. Raises the ClientError that ended the session."""
        while (event := self.receive()) is not None:
            yield event
