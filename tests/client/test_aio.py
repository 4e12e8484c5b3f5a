"""The asynchronous client against a real WebSocket server on loopback that plays a written conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from staged_server import AT_ONCE, BEGIN, CHUNK, HI, TERMINATION, Play, hear_terminate, run, say, server
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tympan.client import Session, SessionParameters, Termination, Turn, connect
from tympan.core.errors import UsageError
from tympan.wire.v3.messages import ForceEndpoint


def talk(play: Play, act: Callable[[Session], Awaitable[None]] | None = None, **options: Any) -> list[object]:
    """Everything the client hears from a server that plays this."""

    async def scene() -> list[object]:
        async with server(play) as url, connect(url, **options) as session:
            if act is not None:
                await act(session)
            return [event async for event in session]

    return run(scene)


class Listening:
    """A server that keeps what it hears and says hi."""

    def __init__(self) -> None:
        self.heard: list[bytes | dict[str, Any]] = []

    async def play(self, connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        self.heard += await hear_terminate(connection)
        await say(connection, HI, TERMINATION)


def test_audio_and_controls_go_out_and_messages_come_in_until_termination() -> None:
    listening = Listening()

    async def act(session: Session) -> None:
        assert session.begin.id == BEGIN["id"]
        await session.send_audio(b"\x01\x02")
        await session.send(ForceEndpoint())
        await session.send_audio(b"")
        await session.terminate()

    turn, termination = talk(listening.play, act)

    assert listening.heard == [b"\x01\x02", {"type": "ForceEndpoint"}]
    assert isinstance(turn, Turn)
    assert turn.words[0].text == "Hi."
    assert termination == Termination(1, 1)


def test_the_key_the_version_and_the_parameters_reach_the_server() -> None:
    seen: list[str] = []

    def look(_: ServerConnection, request: Request) -> None:
        seen.extend([request.path, request.headers["Authorization"], request.headers["AssemblyAI-Version"]])

    async def scene() -> None:
        async with server(Listening().play, refuse=look) as url:
            async with connect(url, api_key="secret", parameters={"sample_rate": 8000, "format_turns": True}):
                pass
            parameters = SessionParameters(keyterms_prompt=("a", "b"), extra={"new_one": 1})
            async with connect(url, api_key="secret", parameters=parameters, reconnect=None):
                pass

    run(scene)

    assert seen == [
        "/v3/ws?sample_rate=8000&format_turns=true&resumable=true",
        "secret",
        "2025-05-12",
        "/v3/ws?sample_rate=16000&encoding=pcm_s16le&keyterms_prompt=%5B%22a%22%2C+%22b%22%5D&new_one=1",
        "secret",
        "2025-05-12",
    ]


def test_unknown_messages_are_passed_over() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN, {"type": "SpeakerRevision", "revisions": []}, TERMINATION)

    assert talk(play) == [Termination(1, 1)]


def test_a_long_chunk_is_sent_in_pieces_that_every_service_takes() -> None:
    listening = Listening()

    async def act(session: Session) -> None:
        await session.send_audio(bytes(80_000))
        await session.terminate()

    talk(listening.play, act)

    assert [len(item) for item in listening.heard] == [32_000, 32_000, 16_000]


def test_a_packet_of_compressed_audio_stays_whole() -> None:
    listening = Listening()

    async def act(session: Session) -> None:
        await session.send_audio(bytes(80_000))
        await session.terminate()

    talk(listening.play, act, parameters={"encoding": "opus"})

    assert [len(item) for item in listening.heard] == [80_000]


def test_leaving_the_block_ends_the_session_well() -> None:
    listening = Listening()

    async def scene() -> None:
        async with server(listening.play) as url, connect(url) as session:
            await session.send_audio(CHUNK)

    run(scene)

    assert listening.heard == [CHUNK]


class Source:
    """Chunks without end, at its own rate, until it is closed."""

    def __init__(self, sample_rate_hz: int = 16_000, chunks: int | None = None) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.close_count = 0
        self._chunks = chunks
        self._closed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._chunks or 1):
            yield CHUNK
        if self._chunks is None:
            await self._closed.wait()

    async def close(self) -> None:
        self.close_count += 1
        self._closed.set()


def test_a_source_is_sent_to_its_end_and_closed() -> None:
    listening = Listening()
    source = Source(chunks=3)

    async def act(session: Session) -> None:
        await session.send_from(source)
        await session.send_from([CHUNK, b"\x01\x02"])
        await session.terminate()

    talk(listening.play, act)

    assert listening.heard == [CHUNK, CHUNK, CHUNK, CHUNK, b"\x01\x02"]
    assert source.close_count > 0


def test_a_source_that_waits_is_closed_when_the_session_is_told_to_end() -> None:
    listening = Listening()
    source = Source()

    async def act(session: Session) -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(session.send_from(source))
            while not listening.heard:
                await asyncio.sleep(0.001)
            await session.terminate()

    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        async for message in connection:
            listening.heard.append(message if isinstance(message, bytes) else {"type": message})
            if message == '{"type":"Terminate"}':
                break
        await say(connection, HI, TERMINATION)

    talk(play, act)

    assert CHUNK in listening.heard
    assert source.close_count > 0


def test_a_source_is_closed_when_the_session_fails() -> None:
    source = Source()

    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        await connection.recv()
        await connection.close(3006, "a wrong parameter")

    async def act(session: Session) -> None:
        async with asyncio.timeout(5):
            await session.send_from(source)

    with pytest.raises(Exception, match="a wrong parameter"):
        talk(play, act)
    assert source.close_count > 0


def test_a_source_of_another_rate_is_refused_and_closed() -> None:
    source = Source(48_000)

    with pytest.raises(UsageError, match="48000 Hz, the session takes 16000 Hz"):
        talk(Listening().play, lambda session: session.send_from(source))
    assert source.close_count > 0


def test_a_caller_who_does_not_read_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tympan.client.inbox.MAX_WAITING", 3)

    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN, *[HI | {"turn_order": order} for order in range(50)])
        await hear_terminate(connection)
        await say(connection, TERMINATION)

    async def act(session: Session) -> None:
        await session.terminate()
        await asyncio.sleep(0.02)

    told = talk(play, act, reconnect=AT_ONCE)

    assert [event.turn_order for event in told if isinstance(event, Turn)] == list(range(50))
