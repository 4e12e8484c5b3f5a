"""A server of ours, whatever it serves, on a loopback port in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tympan.server.listening import Server, bind


def eventually(is_true: Callable[[], bool], timeout_s: float = 8.0) -> bool:
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
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            await self.server.serve(self._sockets)

        asyncio.run(serve())

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Close every client."""
        self._clients.close()

    def stop(self) -> None:
        self.hang_up()
        self.server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive(), f"the {self._name} didn't stop"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
