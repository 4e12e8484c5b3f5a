"""The proxy does what it says: otherwise the proofs that use it prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tcp_proxy import Direction, Harm, How, Proxy

from unhurried_loop import run_unhurried

Scene = Callable[[Proxy, bytearray], Awaitable[None]]


@asynccontextmanager
async def echo(heard: bytearray) -> AsyncIterator[int]:
    """A server that remembers what it hears and says it again."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                heard.extend(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            heard.extend(b"!reset")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def play(scene: Scene, *harms: Harm | None) -> None:
    async def played() -> None:
        heard = bytearray()
        async with asyncio.timeout(60), echo(heard) as port, Proxy("127.0.0.1", port) as proxy:
            proxy.plan(*harms)
            await scene(proxy, heard)

    run_unhurried(played())


async def opened(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


def test_what_is_not_harmed_goes_through_whole() -> None:
    async def scene(proxy: Proxy, heard: bytearray) -> None:
        reader, writer = await opened(proxy)
        writer.write(b"x" * 100_000)
        writer.write_eof()
        assert await reader.read() == b"x" * 100_000
        writer.close()

    play(scene)


async def says_until_cut(reader: asyncio.StreamReader) -> How:
    try:
        while await reader.read(1000):
            pass
    except ConnectionResetError:
        return How.RESET
    return How.FIN


@pytest.mark.parametrize("how", [How.RESET, How.FIN])
def test_a_connection_is_cut_after_an_exact_number_of_bytes(how: How) -> None:
    async def scene(proxy: Proxy, heard: bytearray) -> None:
        reader, writer = await opened(proxy)
        for _ in range(30):
            writer.write(b"x" * 100)
        assert await says_until_cut(reader) is how
        while how is How.FIN and len(heard) < 777:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert len(bytes(heard).removesuffix(b"!reset")) <= 777
        writer.close()

    play(scene, Harm(how, after_bytes=777))


def test_what_the_server_says_can_be_cut_as_well() -> None:
    async def scene(proxy: Proxy, heard: bytearray) -> None:
        reader, writer = await opened(proxy)
        writer.write(b"y" * 5000)
        assert len(await reader.read()) == 123
        writer.close()

    play(scene, Harm(How.FIN, after_bytes=123, direction=Direction.TO_CLIENT))


def test_a_connection_that_hangs_says_nothing_until_it_is_cut() -> None:
    async def scene(proxy: Proxy, heard: bytearray) -> None:
        reader, writer = await opened(proxy)
        writer.write(b"z" * 2000)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.readexactly(2000)
        assert len(heard) == 500
        proxy.cut(How.RESET)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    play(scene, Harm(How.HANG, after_bytes=500))


def test_a_connection_is_cut_at_a_time_and_the_next_one_lives() -> None:
    async def scene(proxy: Proxy, heard: bytearray) -> None:
        reader, writer = await opened(proxy)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        reader, writer = await opened(proxy)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()
        assert proxy.connections == 2

    play(scene, Harm(How.RESET, after_s=0.05))


def test_delay_and_pace_are_kept() -> None:
    async def scene(proxy: Proxy, heard: bytearray) -> None:
        proxy.delay_s = 0.05
        loop = asyncio.get_running_loop()
        reader, writer = await opened(proxy)
        started = loop.time()
        writer.write(b"a")
        await reader.readexactly(1)
        assert loop.time() - started >= 0.1
        proxy.delay_s, proxy.bytes_per_s = 0.0, 100_000
        started = loop.time()
        writer.write(b"b" * 20_000)
        await reader.readexactly(20_000)
        assert loop.time() - started >= 0.1
        writer.close()

    play(scene)


def test_a_refusing_proxy_lets_nobody_in() -> None:
    async def scene(proxy: Proxy, heard: bytearray) -> None:
        proxy.is_refusing = True
        reader, writer = await opened(proxy)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    play(scene)
