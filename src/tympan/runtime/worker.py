"""Worker: the only file with threads. One thread serves many seats in turn.

Invariant: each seat just catches up with the audio that it has received; there is no flush mode. A seat
that has work waits once in the ready queue, where whoever had least is next (see `ready`), and makes way after any
piece for one that had less: a file sent at once never holds up a live microphone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from tympan.core.effects import Control
from tympan.core.errors import BadAudio, EngineError
from tympan.core.listening import Heard, ListenerOutput, ListeningFailed
from tympan.runtime.listener import Listener
from tympan.runtime.ready import ReadyQueue

logger = logging.getLogger("tympan.runtime")

PIECES_PER_ROUND = 8
"""Engine pieces (32 ms each for the default engine) before the next seat has its round: about 250 ms."""


class Seat:
    """One session's place at a worker. Touched by the worker's thread only, but for the fields it guards."""

    __slots__ = ("deliver", "engine", "inbox", "is_closed", "is_ready", "listener", "served_s")

    def __init__(self, listener: Listener, deliver: Callable[[ListenerOutput], None], engine: str) -> None:
        self.listener = listener
        self.deliver = deliver
        self.engine = engine
        self.inbox: deque[bytes | Control] = deque()  # guarded by the worker's condition
        self.is_ready = False  # guarded: in the ready queue or being served
        self.is_closed = False  # guarded
        self.served_s = 0.0  # guarded; see `ready`

    def take(self, items: list[bytes | Control]) -> None:
        for item in items:
            if isinstance(item, bytes):
                self.listener.feed(item)
            else:
                self.listener.mark(item)

    def listen(self, makes_way: Callable[[Seat], bool]) -> bool:
        """One round, over as soon as the seat makes way; true when more work may be waiting."""
        try:
            return self._listen(makes_way)
        except BadAudio as error:  # the client's affair, not the engine's
            self.free()
            self._tell(ListeningFailed(error))
            return False
        except Exception as error:
            # The boundary of the engine: whatever a model raises ends this session and no other.
            logger.exception("engine failed", extra={"engine": self.engine})
            failure = error if isinstance(error, EngineError) else EngineError(self.engine, str(error))
            self.free()
            self._tell(ListeningFailed(failure))
            return False

    def free(self) -> None:
        """Close the stream; one that fails at that is only logged, since nobody is left to be told."""
        try:
            self.listener.close()
        except Exception:
            logger.exception("closing a stream failed", extra={"engine": self.engine})

    def _listen(self, makes_way: Callable[[Seat], bool]) -> bool:
        untold: Heard | None = None  # rounds without events tell only the last position
        for _ in range(PIECES_PER_ROUND):
            heard = self.listener.advance()
            if heard is None:
                break
            untold = heard.after(untold)
            if heard.events or heard.is_finished or makes_way(self):
                break
        if untold is not None:
            self._tell(untold)
        return heard is not None and not heard.is_finished

    def _tell(self, output: ListenerOutput) -> None:
        """Deliver; a receiver that is gone must not take the worker, and so every other session, with it."""
        try:
            self.deliver(output)
        except Exception:
            logger.exception("delivery failed", extra={"engine": self.engine})


class Worker:
    """A thread that serves seats in turn. `clock` tells the seconds of processor time that the thread had."""

    def __init__(self, name: str, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._ready: ReadyQueue[Seat] = ReadyQueue()
        self._seat_count = 0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def seat_count(self) -> int:
        return self._seat_count

    def start(self) -> None:
        self._thread.start()

    def add(self, seat: Seat) -> None:
        """A seat is taken."""
        with self._condition:
            self._ready.welcome(seat)
            self._seat_count += 1

    def give(self, seat: Seat, item: bytes | Control) -> None:
        """Queue audio or a control for a seat; returns at once."""
        with self._condition:
            if seat.is_closed:
                return
            seat.inbox.append(item)
            self._make_ready(seat)

    def is_idle(self, seat: Seat) -> bool:
        """All that was given to a seat has been judged, and what was heard is delivered."""
        with self._condition:
            return not seat.is_ready

    def remove(self, seat: Seat) -> None:
        """Close a seat; its stream is freed by the worker's thread. Idempotent."""
        with self._condition:
            if seat.is_closed:
                return
            seat.is_closed = True
            seat.inbox.clear()
            self._seat_count -= 1
            self._make_ready(seat)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Serve what is closing, then end the thread. Idempotent."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _makes_way(self, seat: Seat) -> bool:
        with self._condition:
            return self._ready.is_overtaken(seat)

    def _make_ready(self, seat: Seat) -> None:
        if not seat.is_ready:
            seat.is_ready = True
            self._ready.put(seat)
            self._condition.notify()

    def _run(self) -> None:
        while (served := self._next()) is not None:
            seat, items, is_closed = served
            if is_closed:
                seat.free()
                continue
            began_s = self._clock()
            seat.take(items)
            has_more = seat.listen(self._makes_way)
            with self._condition:
                seat.served_s += self._clock() - began_s
                seat.is_ready = False
                if has_more or seat.inbox or seat.is_closed:
                    self._make_ready(seat)

    def _next(self) -> tuple[Seat, list[bytes | Control], bool] | None:
        """Wait for a seat with work; None when the worker stops and nothing is left."""
        with self._condition:
            while not self._ready:
                if self._is_stopping:
                    return None
                self._condition.wait()
            seat = self._ready.take()
            items = list(seat.inbox)
            seat.inbox.clear()
            return seat, items, seat.is_closed
