"""Runs an asynchronous server in a thread, for tests of what blocks: commands and the synchronous client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

from unhurried_loop import UnhurriedLoop

T = TypeVar("T")


class Background:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = UnhurriedLoop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="background")

    def await_(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function there and wait for it."""

        async def called() -> T:
            return function(*arguments)

        return self.await_(called())

    @contextmanager
    def entered(self, server: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Enter and leave an asynchronous context there."""
        entered = self.await_(server.__aenter__())
        try:
            yield entered
        finally:
            self.await_(server.__aexit__(None, None, None))


@contextmanager
def background() -> Iterator[Background]:
    """An event loop in a thread that has ended on leaving."""
    one = Background()
    one._thread.start()
    try:
        yield one
    finally:
        one.loop.call_soon_threadsafe(one.loop.stop)
        one._thread.join(60)
        assert not one._thread.is_alive(), "the background loop didn't stop"
        one.loop.close()
