"""A TCP proxy that harms connections at a chosen moment: cut, silenced, delayed, throttled.

    async with Proxy("127.0.0.1", service.port) as proxy:
        proxy.plan(Harm(How.RESET, after_bytes=20_000), Harm(How.HANG, after_s=0.5))
        ...                              # the first connection is reset, the second falls silent, others live
        proxy.cut(How.FIN)               # all that are open, now

Rules: the first planned harm belongs to the next connection, and so on; bytes are counted as the proxy forwards
them, exactly: the one after the last counted byte never arrives. What waits in the proxy when a connection is
reset or falls silent is lost, as on a real line. All calls belong to the proxy's own loop.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import TracebackType

_READ_BYTES = 16_384

_HALF_OPEN_S = 5.0
"""A side that has said all may wait so long for the other."""


class How(Enum):
    """What becomes of a connection."""

    RESET = "RST to both sides"
    FIN = "an orderly end of the stream to both sides, without a WebSocket close"
    HANG = "nothing is forwarded any more, nothing is said"


class Direction(Enum):
    TO_SERVER = "to server"
    TO_CLIENT = "to client"


@dataclass(frozen=True)
class Harm:
    """What happens to one connection, and when; without a moment it happens at once."""

    how: How
    after_bytes: int | None = None
    direction: Direction = Direction.TO_SERVER
    after_s: float | None = None


class Proxy:
    """Listens on a loopback port of its own while it is entered."""

    def __init__(self, host: str, port: int, *, delay_s: float = 0.0, bytes_per_s: float | None = None) -> None:
        self._target = (host, port)
        self._plan: deque[Harm | None] = deque()
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.delay_s = delay_s
        """Added to every piece of data, in both directions."""
        self.bytes_per_s = bytes_per_s
        """Pace of what is forwarded, each direction by itself; None is as fast as it comes."""
        self.withholds: Direction | None = None
        """What is said this way is taken and lost."""
        self.is_refusing = False
        """New connections are reset at once."""
        self.connections = 0
        """How many have come so far."""

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_READ_BYTES)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut(How.RESET)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._lines)

    def retarget(self, port: int) -> None:
        """The server is at another port from now on, for new connections."""
        self._target = (self._target[0], port)

    def plan(self, *harms: Harm | None) -> None:
        """What happens to the next connections, one each; None spares one."""
        self._plan.extend(harms)

    def cut(self, how: How) -> int:
        """Harm every open connection now; how many there were."""
        lines = list(self._lines)
        for line in lines:
            line.end(how)
        return len(lines)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._forward(reader, writer)
        except asyncio.CancelledError:
            pass  # the proxy is being left; the streams' own callback can't bear it
        finally:
            self._tasks.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        harm = self._plan.popleft() if self._plan else None
        if self.is_refusing:
            _reset(writer)
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target, limit=_READ_BYTES)
        except OSError:
            _reset(writer)
            return
        line = _Line(writer, server_writer)
        self._lines.add(line)
        try:
            await self._run(line, harm, (reader, server_writer), (server_reader, writer))
        finally:
            self._lines.discard(line)
            line.end(How.RESET if line.how is How.HANG else How.FIN)

    async def _run(
        self,
        line: _Line,
        harm: Harm | None,
        up: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        down: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        if harm is not None and harm.after_s is None and harm.after_bytes is None:
            line.end(harm.how)
        timer = None
        if harm is not None and harm.after_s is not None:
            timer = asyncio.get_running_loop().call_later(harm.after_s, line.end, harm.how)
        over = asyncio.create_task(line.is_over.wait())
        pumps = [
            asyncio.create_task(self._pump(line, harm, direction, *streams))
            for direction, streams in ((Direction.TO_SERVER, up), (Direction.TO_CLIENT, down))
        ]
        try:
            await asyncio.wait([over, *pumps], return_when=asyncio.FIRST_COMPLETED)
            if line.how is None:  # one side ended; what the other still says goes through
                await asyncio.wait(pumps, timeout=_HALF_OPEN_S)
            elif line.how is How.HANG:
                await over
        finally:
            for task in (over, *pumps):
                task.cancel()
            if timer is not None:
                timer.cancel()

    async def _pump(
        self,
        line: _Line,
        harm: Harm | None,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        left = None
        if harm is not None and harm.after_bytes is not None and harm.direction is direction:
            left = harm.after_bytes
        with suppress(OSError):
            while line.how is None and (data := await reader.read(_READ_BYTES)):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.withholds is direction:
                    await line.is_over.wait()
                if line.how is not None:
                    return
                whole, data = len(data), data if left is None else data[:left]
                writer.write(data)
                await writer.drain()
                if left is not None:
                    left -= len(data)
                    if len(data) < whole or left == 0:
                        assert harm is not None
                        line.end(harm.how)
                if self.bytes_per_s:
                    await asyncio.sleep(len(data) / self.bytes_per_s)
            if line.how is None and writer.can_write_eof():
                writer.write_eof()


class _Line:
    """Both sockets of one connection."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers
        self.is_over = asyncio.Event()
        self.how: How | None = None

    def end(self, how: How) -> None:
        if self.is_over.is_set():
            return
        self.how = how
        if how is How.HANG:
            for writer in self._writers:
                with suppress(RuntimeError):  # it has ended by itself
                    writer.transport.pause_reading()  # type: ignore[attr-defined]
            return
        self.is_over.set()
        for writer in self._writers:
            if how is How.RESET:
                _reset(writer)
            else:
                writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: nothing lingers, nothing is flushed."""
    raw = writer.get_extra_info("socket")
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
