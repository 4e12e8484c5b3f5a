"""Name lookups that can't hold up anything. Shell: threads.

A name whose servers don't answer keeps `getaddrinfo` busy for as long as the system's resolver likes, and nothing can
interrupt it. So lookups run in daemon threads of their own, not too many: neither the loop, nor the threads that others
share, nor the end of the process waits for one.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

from tympan.core.errors import Unreachable

MAX_LOOKUPS = 64
"""More than attempts run at once: the lookup of an attempt that was given up may go on for a while."""


class Resolver:
    """Looks names up."""

    def __init__(self, max_lookups: int = MAX_LOOKUPS) -> None:
        self._free = asyncio.Semaphore(max_lookups)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host, in the order in which they should be tried. Cancelling it doesn't end the lookup,
        which counts until it ends.

        Raises:
            Unreachable: there is no such host, or nobody answers for it.
        """
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def tell(addresses: list[str], error: Exception | None) -> None:
            self._free.release()
            if found.done():  # nobody waits any more
                return
            if error is None:
                found.set_result(addresses)
            else:
                found.set_exception(Unreachable(f"cannot look up the host: {error}"))

        def look_up() -> None:
            addresses: list[str] = []
            error: Exception | None = None
            try:
                infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                addresses = [str(info[4][0]) for info in infos]
            except (OSError, UnicodeError) as failure:
                error = failure
            with suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(tell, addresses, error)

        try:
            threading.Thread(target=look_up, name="tympan lookup", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            self._free.release()
            raise Unreachable(f"cannot look up the host: {error}") from error
        return await found
