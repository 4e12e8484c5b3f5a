"""The asynchronous client against a real WebSocket server on loopback that plays a written conversation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tympan.client.address import session_address
from tympan.client.aio import Session, connect
from tympan.client.errors import AuthError, ClientError, NetworkError, RequestError, ServerError
from tympan.client.parameters import SessionParameters
from tympan.wire.v3.messages import ForceEndpoint, Termination, Turn

BEGIN = {"type": "Begin", "id": "7f1e4a34-9a3e-4b9e-a0c5-5b0b3c1d2e3f", "expires_at": 1_800_000_000}
TURN = {
    "type": "Turn",
    "turn_order": 0,
    "turn_is_formatted": True,
    "end_of_turn": True,
    "transcript": "Hi.",
    "end_of_turn_confidence": 0.9,
    "words": [{"start": 0, "end": 200, "confidence": 0.8, "text": "Hi.", "word_is_final": True}],
}
TERMINATION = {"type": "Termination", "audio_duration_seconds": 1, "session_duration_seconds": 1}

Conversation = Callable[[ServerConnection], Awaitable[None]]
Refusal = Callable[[ServerConnection, Request], Response | None]


@asynccontextmanager
async def server(conversation: Conversation, *, refuse: Refusal | None = None) -> AsyncIterator[str]:
    async with serve(conversation, "127.0.0.1", 0, process_request=refuse) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def say(connection: ServerConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await connection.send(json.dumps(message))


def talk(
    conversation: Conversation, act: Callable[[Session], Awaitable[None]] | None = None, **options: Any
) -> list[object]:
    """Everything the client hears from a server that holds this conversation."""

    async def run() -> list[object]:
        async with server(conversation) as url, connect(url, **options) as session:
            if act is not None:
                await act(session)
            return [message async for message in session]

    return asyncio.run(run())


def failure(conversation: Conversation, **options: Any) -> ClientError:
    with pytest.raises(ClientError) as raised:
        talk(conversation, **options)
    return raised.value


def test_audio_and_controls_go_out_and_messages_come_in_until_termination() -> None:
    received: list[object] = []

    async def conversation(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        async for message in connection:
            received.append(message if isinstance(message, bytes) else json.loads(message))
            if received[-1] == {"type": "Terminate"}:
                await say(connection, TURN, TERMINATION)
                return

    async def act(session: Session) -> None:
        assert session.begin.id == BEGIN["id"]
        await session.send_audio(b"\x01\x02")
        await session.send(ForceEndpoint())
        await session.terminate()

    turn, termination = talk(conversation, act)

    assert received == [b"\x01\x02", {"type": "ForceEndpoint"}, {"type": "Terminate"}]
    assert isinstance(turn, Turn)
    assert turn.words[0].text == "Hi."
    assert termination == Termination(1, 1)


def test_the_key_and_the_parameters_reach_the_server() -> None:
    seen: list[str] = []

    def refuse(_: ServerConnection, request: Request) -> None:
        seen.extend([request.path, request.headers["Authorization"]])

    async def conversation(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        assert json.loads(await connection.recv()) == {"type": "Terminate"}
        await say(connection, TERMINATION)

    async def run(**options: Any) -> None:
        async with (
            server(conversation, refuse=refuse) as url,
            connect(url, api_key="secret", **options),
        ):
            pass

    asyncio.run(run(parameters={"sample_rate": 8000, "format_turns": True}))
    asyncio.run(run(parameters=SessionParameters(sample_rate=48_000, keyterms_prompt=("a", "b")), reconnect=None))

    assert seen == [
        "/v3/ws?sample_rate=8000&format_turns=true&resumable=true",
        "secret",
        "/v3/ws?sample_rate=48000&encoding=pcm_s16le&keyterms_prompt=%5B%22a%22%2C+%22b%22%5D",
        "secret",
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1008, AuthError),
        (3006, RequestError),
        (3007, RequestError),
        (3005, ServerError),
        (3008, ServerError),
        (3009, ServerError),
        (4321, ServerError),
    ],
)
def test_an_error_message_becomes_the_error_of_its_code(code: int, expected: type[ClientError]) -> None:
    async def conversation(connection: ServerConnection) -> None:
        await say(connection, {"type": "Error", "error_code": code, "error": "what is wrong"})
        await connection.close(code, "See Error message for details")

    error = failure(conversation)

    assert type(error) is expected
    assert str(error) == "what is wrong"


def test_a_close_code_alone_becomes_its_error() -> None:
    async def conversation(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        await connection.close(1008, "Invalid API key")

    error = failure(conversation)

    assert type(error) is AuthError
    assert str(error) == "Invalid API key"


def test_a_connection_that_breaks_is_a_network_error() -> None:
    async def conversation(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        connection.transport.abort()

    assert type(failure(conversation, reconnect=None)) is NetworkError


def test_sending_after_the_end_is_a_network_error() -> None:
    async def conversation(connection: ServerConnection) -> None:
        await say(connection, BEGIN, TERMINATION)

    async def act(session: Session) -> None:
        assert [message async for message in session] == [Termination(1, 1)]
        await session.send_audio(b"\0\0")

    with pytest.raises(NetworkError, match="ended"):
        talk(conversation, act)


def test_unknown_messages_are_passed_over() -> None:
    async def conversation(connection: ServerConnection) -> None:
        await say(connection, BEGIN, {"type": "Heartbeat", "realtime_factor": 1.0}, TERMINATION)

    assert talk(conversation) == [Termination(1, 1)]


def test_a_server_that_breaks_the_protocol_is_named_so() -> None:
    async def conversation(connection: ServerConnection) -> None:
        await connection.send("no JSON")

    assert "broke the protocol" in str(failure(conversation))


def test_a_server_that_does_not_begin_is_named_so() -> None:
    async def conversation(connection: ServerConnection) -> None:
        await say(connection, TERMINATION)

    assert "expected Begin" in str(failure(conversation))


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, AuthError), (403, AuthError), (503, ServerError), (404, NetworkError), (410, NetworkError)],
)
def test_a_refused_handshake_becomes_an_error(status: int, expected: type[ClientError]) -> None:
    async def conversation(connection: ServerConnection) -> None:
        await say(connection, BEGIN)

    async def run() -> None:
        async with (
            server(conversation, refuse=lambda connection, _: connection.respond(HTTPStatus(status), "no")) as url,
            connect(url),
        ):
            pass

    with pytest.raises(expected) as raised:
        asyncio.run(run())
    assert type(raised.value) is expected


def test_where_nobody_listens_there_is_no_connection() -> None:
    async def run() -> None:
        async with connect("ws://127.0.0.1:1"):
            pass

    with pytest.raises(NetworkError, match="cannot connect to ws:"):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("localhost:8000", "ws://localhost:8000/v3/ws?sample_rate=16000"),
        ("http://localhost:8000/", "ws://localhost:8000/v3/ws?sample_rate=16000"),
        ("https://speech.example.org", "wss://speech.example.org/v3/ws?sample_rate=16000"),
        ("wss://example.org/other/ws?token=t", "wss://example.org/other/ws?token=t&sample_rate=16000"),
    ],
)
def test_scheme_and_path_of_an_address_may_be_left_out(url: str, address: str) -> None:
    assert session_address(url, {"sample_rate": 16_000}) == address


@pytest.mark.parametrize("url", ["ftp://example.org", "ws://", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(RequestError, match="no address of a server"):
        session_address(url, {})
