"""Proxies come from the environment, as people expect; what is wrong with one is said without its password."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from staged_server import BEGIN, SHORT, TERMINATION, hear_terminate, run, say, server
from websockets.asyncio.server import ServerConnection

from tympan.client import NetworkError, Termination, connect, mint_token

ELSEWHERE = "ears.invalid"
"""Another machine: a name that nobody can look up."""

NAMES = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "socks_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def plays(connection: ServerConnection) -> None:
    await say(connection, BEGIN)
    await hear_terminate(connection)
    await say(connection, TERMINATION)


@asynccontextmanager
async def http_proxy(asked: list[str]) -> AsyncIterator[str]:
    """A proxy that knows CONNECT alone, and one machine: this one, whatever it is called."""

    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.append(task)
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(request.partition("\r\n")[0])
        port = request.split()[1].partition(":")[2]
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                writer.write(data)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        listening.close()
        await asyncio.gather(*served)  # the pumps see the end of both sides


async def talk(url: str, **options: object) -> list[object]:
    async with connect(url, reconnect=None, timeouts=SHORT, **options) as session:  # type: ignore[arg-type]
        await session.terminate()
        return [event async for event in session]


@pytest.mark.parametrize("way", ["environment", "argument"])
def test_a_session_goes_through_the_proxy(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def scene() -> None:
        async with server(plays) as url, http_proxy(asked) as proxy:
            if way == "environment":
                monkeypatch.setenv("http_proxy", f"http://{proxy}")
                url = url.replace("127.0.0.1", ELSEWHERE)
                assert await talk(url) == [Termination(1, 1)]
            else:
                assert await talk(url, proxy=f"http://user:secret@{proxy}") == [Termination(1, 1)]
            assert asked == [f"CONNECT {url.removeprefix('ws://')} HTTP/1.1"]

    run(scene)


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_of_the_environment_is_asked_for_what_is_on_this_machine(
    host: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def scene() -> None:
        async with server(plays) as url, http_proxy(asked) as proxy:
            monkeypatch.setenv(name, f"http://{proxy}")
            assert await talk(url.replace("127.0.0.1", host)) == [Termination(1, 1)]

    run(scene)
    assert asked == []


@pytest.mark.parametrize("away", ["no_proxy", "argument"])
def test_a_session_goes_past_the_proxy_where_that_is_wanted(away: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known by what is said: without the proxy, nobody knows the host."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    if away == "no_proxy":
        monkeypatch.setenv("no_proxy", ELSEWHERE)
    options = {} if away == "no_proxy" else {"proxy": None}
    with pytest.raises(NetworkError, match="no host of that name"):
        run(lambda: talk(f"ws://{ELSEWHERE}:2", **options))


def test_a_proxy_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:1")
    with pytest.raises(NetworkError, match=r"through the proxy http://127\.0\.0\.1:1: connection refused"):
        run(lambda: talk(f"ws://{ELSEWHERE}:2"))


def test_no_proxy_is_asked_for_a_token_of_a_server_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def scene() -> None:
        async with server(plays) as url, http_proxy(asked) as proxy:
            monkeypatch.setenv("http_proxy", f"http://{proxy}")
            with pytest.raises(NetworkError):  # this server makes no tokens
                await asyncio.to_thread(mint_token, url, api_key="KEY")

    run(scene)
    assert asked == []


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("http://user:secret@127.0.0.1:1", "127.0.0.1"),
        ("nonsense://user:secret@127.0.0.1:1", "'nonsense://127.0.0.1:1' is no address of a proxy"),
        ("socks5h://user:secret@127.0.0.1:1", "pip install python-socks"),
    ],
)
def test_a_proxy_of_no_use_is_a_network_error(proxy: str, said: str) -> None:
    with pytest.raises(NetworkError) as raised:
        run(lambda: talk("ws://127.0.0.1:2", proxy=proxy))
    assert said in str(raised.value)
    assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r}"
