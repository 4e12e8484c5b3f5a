"""EngineLink: the seam between the gateway and the engines that listen. Plain data both ways.

A process or network link can take the place of `LocalLink` without touching core or wire.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from tympan.core.config import SessionConfig
from tympan.core.effects import Control
from tympan.core.listening import ListenerOutput
from tympan.engines.base import Recognizer
from tympan.runtime.listener import Listener, stream_options
from tympan.runtime.worker import Seat, Worker

Deliver = Callable[[ListenerOutput], None]
"""Called from a worker's thread, in order; must not block."""


class EngineLink(Protocol):
    """Where a session's audio goes and what was heard comes from."""

    def open(self, session_id: str, config: SessionConfig, deliver: Deliver) -> None:
        """Start listening for a session."""

    def feed(self, session_id: str, payload: bytes) -> None:
        """Give audio, one message of the client. After `close` it is ignored: it was under way as the session ended."""

    def mark(self, session_id: str, control: Control) -> None:
        """Give a control, in order with the audio."""

    def is_idle(self, session_id: str) -> bool:
        """All that was given so far has been judged, as far as it can be before more comes, and what was heard is
        delivered. So is that of a session that is closed."""

    def close(self, session_id: str) -> None:
        """Forget a session and free its stream. Idempotent.

        What was being heard at this moment may still be delivered; a closed session ignores it.
        """

    def shut_down(self) -> None:
        """Close every session and stop. Idempotent."""


class LocalLink:
    """Workers in this process, one thread each; a session stays with one worker, so streams need no locks.

    `clock`: see `Worker`.
    """

    def __init__(
        self, recognizer: Recognizer, worker_count: int, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._recognizer = recognizer
        self._workers = [Worker(f"tympan-engine-{index}", clock) for index in range(worker_count)]
        self._seats: dict[str, tuple[Worker, Seat]] = {}
        for worker in self._workers:
            worker.start()

    def open(self, session_id: str, config: SessionConfig, deliver: Deliver) -> None:
        stream = self._recognizer.open_stream(stream_options(config))
        worker = min(self._workers, key=lambda candidate: candidate.seat_count)
        seat = Seat(Listener(stream, config), deliver, self._recognizer.name)
        worker.add(seat)
        self._seats[session_id] = (worker, seat)

    def feed(self, session_id: str, payload: bytes) -> None:
        if session_id in self._seats:
            worker, seat = self._seats[session_id]
            worker.give(seat, payload)

    def mark(self, session_id: str, control: Control) -> None:
        if session_id in self._seats:
            worker, seat = self._seats[session_id]
            worker.give(seat, control)

    def is_idle(self, session_id: str) -> bool:
        if session_id not in self._seats:
            return True
        worker, seat = self._seats[session_id]
        return worker.is_idle(seat)

    def close(self, session_id: str) -> None:
        if session_id in self._seats:
            worker, seat = self._seats.pop(session_id)
            worker.remove(seat)

    def shut_down(self) -> None:
        for session_id in list(self._seats):
            self.close(session_id)
        for worker in self._workers:
            worker.stop()
