"""A server of ours, whatever it serves, on a loopback port in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import httpx

from tympan.server.listening import Server, bind
from unhurried_loop import UnhurriedLoop

PATIENCE_S = 60.0
"""After so long, what should come is given up. Nothing takes so long, on the busiest machine; no test proves speed."""


def eventually(is_true: Callable[[], bool], timeout_s: float = PATIENCE_S) -> bool:
    """Whether something becomes true soon; for what another thread does."""
    give_up_at = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.01)
    return True


class RunningServer:
    """It runs from the start, and stops when it is left as a context; its clients hang up before."""

    def __init__(self, server: Server, name: str) -> None:
        self._clients = ExitStack()
        self._name = name
        self.server = server
        self._sockets = bind("127.0.0.1", 0)
        self.listening = self._sockets[0]
        self.port = self.listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()
        assert eventually(lambda: self.server.started)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=UnhurriedLoop) as runner:
            self.loop = runner.get_loop()  # its clock can be turned on
            runner.run(self.server.serve(self._sockets))

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, path: str, method: str = "GET", **request: Any) -> httpx.Response:
        """What it answers over plain HTTP."""
        return httpx.request(method, self.http + path, timeout=PATIENCE_S, **request)

    def hang_up(self) -> None:
        """Close every client."""
        self._clients.close()

    def stop(self) -> None:
        self.hang_up()
        self.server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), f"the {self._name} didn't stop"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
