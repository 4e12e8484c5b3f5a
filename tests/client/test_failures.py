"""What can fail between a client and a server, by the names of the migration guide's checklists.

Each failure is a typed error that says where it happened, and leaves no task, thread or descriptor.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from staged_server import BEGIN, CHUNK, HI, SHORT, TERMINATION, Play, hear_terminate, run, say, server, turn, word
from websockets.asyncio.server import ServerConnection

from certificates import Certificate, make_certificate
from tympan.client import (
    AuthError,
    ClientError,
    NetworkError,
    ProtocolViolation,
    RequestError,
    ServerError,
    Session,
    SessionOver,
    SilentServer,
    TlsError,
    connect,
)
from tympan.client.errors import Phase

KEY = "the-key-that-nobody-may-see"


async def listen(url: str, **options: Any) -> list[object]:
    options = {"reconnect": None, "timeouts": SHORT, "api_key": KEY} | options
    async with connect(url, **options) as session:
        await session.send_audio(CHUNK)
        await session.terminate()
        return [event async for event in session]


def failure(play: Play, act: Callable[[str], Awaitable[object]] = listen, **options: Any) -> ClientError:
    """The error of a client that talks to this server."""

    async def scene() -> None:
        async with server(play, **options) as url:
            await act(url)

    with pytest.raises(ClientError) as raised:
        run(scene)
    return checked(raised.value)


def checked(error: ClientError) -> ClientError:
    chain: BaseException | None = error
    while chain is not None:
        assert KEY not in f"{chain!r} {chain} {getattr(chain, 'context', '')}", "an error tells the key"
        chain = chain.__cause__
    assert "\n" not in str(error)
    return error


async def nothing(connection: ServerConnection) -> None:
    await connection.wait_closed()


def test_bad_key_refused_after_the_connection_was_made() -> None:
    async def play(connection: ServerConnection) -> None:
        text = "Unauthorized Connection: Invalid API key"
        await say(connection, {"type": "Error", "error_code": 1008, "error": text})
        await connection.close(1008, "See Error message for details")

    error = failure(play)

    assert type(error) is AuthError
    assert str(error) == "Unauthorized Connection: Invalid API key"
    assert (error.context.close_code, error.context.phase) == (1008, Phase.BEGINNING)


@pytest.mark.parametrize("status", [401, 403])
def test_bad_key_refused_before_the_connection_is_made(status: int) -> None:
    error = failure(nothing, refuse=lambda connection, _: connection.respond(HTTPStatus(status), "no"))

    assert type(error) is AuthError
    assert (error.context.http_status, error.context.phase) == (status, Phase.OPENING)


def test_a_key_that_was_copied_with_a_line_break_is_not_sent() -> None:
    error = failure(nothing, lambda url: listen(url, api_key=f"{KEY}\n"))

    assert type(error) is AuthError
    assert "line break" in str(error)


def test_wrong_path() -> None:
    error = failure(nothing, refuse=lambda connection, _: connection.respond(HTTPStatus.NOT_FOUND, "no"))

    assert type(error) is NetworkError
    assert error.context.http_status == 404
    assert str(error).startswith("no streaming service at ws://127.0.0.1:")


def test_connection_refused() -> None:
    with pytest.raises(NetworkError, match=r"cannot connect to ws://127.0.0.1:1/v3/ws") as raised:
        run(lambda: listen("ws://127.0.0.1:1"))

    assert checked(raised.value).context.address == "ws://127.0.0.1:1/v3/ws"


def test_a_host_that_has_no_address() -> None:
    with pytest.raises(NetworkError, match="cannot connect to") as raised:
        run(lambda: listen(f"ws://no.such.host.invalid?token={KEY}"))
    checked(raised.value)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


def encrypting(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.both)
    return context


async def says_hi(connection: ServerConnection) -> None:
    await say(connection, BEGIN)
    await hear_terminate(connection)
    await say(connection, HI, TERMINATION)


def test_tls_failure_where_the_authority_is_not_trusted(certificate: Certificate) -> None:
    error = failure(says_hi, lambda url: listen(url.replace("ws:", "wss:")), ssl=encrypting(certificate))

    assert type(error) is TlsError
    assert "certificate" in str(error)


def test_tls_failure_where_no_tls_is_spoken() -> None:
    error = failure(says_hi, lambda url: listen(url.replace("ws:", "wss:")))

    assert isinstance(error, NetworkError)
    assert "TLS" in str(error)


def test_tls_failure_where_the_other_side_answers_in_plain_text() -> None:
    async def scene() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        plain = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with plain:
            await listen(f"wss://127.0.0.1:{plain.sockets[0].getsockname()[1]}")

    with pytest.raises(TlsError, match="no TLS is spoken there; is it ws or http that is meant"):
        run(scene)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_tls_failure_where_the_authority_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)

    error = failure(says_hi, lambda url: listen(url.replace("ws:", "wss:"), tls=path))

    assert type(error) is TlsError
    assert str(path) in str(error)


@pytest.mark.parametrize("as_context", [False, True])
def test_an_authority_of_ones_own_is_trusted(certificate: Certificate, as_context: bool) -> None:
    trust = ssl.create_default_context(cafile=certificate.authority) if as_context else certificate.authority

    async def scene() -> None:
        async with server(says_hi, ssl=encrypting(certificate)) as url:
            heard = await listen(url.replace("ws://127.0.0.1", "wss://localhost"), tls=trust)
            assert len(heard) == 2

    run(scene)


def test_server_error_in_the_middle_of_a_turn() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN, turn(0, word("half", 0, 200)))
        await say(connection, {"type": "Error", "error_code": 3005, "error": "Session Cancelled: An error occurred"})
        await connection.close(3005, "See Error message for details")

    heard: list[object] = []

    async def act(url: str) -> None:
        async with connect(url, reconnect=None, timeouts=SHORT) as session:
            async for event in session:
                heard.append(event)

    error = failure(play, act)

    assert type(error) is ServerError
    assert len(heard) == 1, "what was told before is not lost"
    assert error.context.session_id == BEGIN["id"]
    assert (error.context.close_code, error.context.phase) == (3005, Phase.TALKING)


def test_silent_server_that_takes_no_handshake() -> None:
    async def scene() -> None:
        taken: list[asyncio.StreamWriter] = []
        listening = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            try:
                await listen(f"ws://127.0.0.1:{port}", timeouts=SHORT.__class__(open_s=0.1))
            finally:
                for writer in taken:
                    writer.close()
                    await writer.wait_closed()

    with pytest.raises(SilentServer, match="does not answer"):
        run(scene)


def test_silent_server_that_never_begins() -> None:
    error = failure(nothing)

    assert type(error) is SilentServer
    assert "no session begins within 0.2 s" in str(error)
    assert error.context.phase is Phase.BEGINNING


def test_silent_server_that_says_nothing_after_terminate() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        await hear_terminate(connection)
        await connection.wait_closed()

    error = failure(play)

    assert type(error) is SilentServer
    assert error.context.phase is Phase.ENDING


def test_slow_server_that_takes_no_audio() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        connection.transport.pause_reading()  # type: ignore[attr-defined]
        await connection.wait_closed()

    async def act(url: str) -> None:
        async with connect(url, reconnect=None, timeouts=SHORT, max_kept_audio_s=3600) as session:
            with suppress(SessionOver):  # iterating tells why
                for _ in range(400):
                    await session.send_audio(bytes(32_000))
            async for _ in session:
                pass

    error = failure(play, act)

    assert type(error) is SilentServer
    assert "takes no audio for 0.2 s" in str(error)


def test_close_in_mid_sentence() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN, turn(0, word("half", 0, 200)))
        await connection.close(1011, "gone")

    error = failure(play)

    assert type(error) is ServerError
    assert (str(error), error.context.close_code) == ("gone", 1011)


def test_a_server_that_is_killed() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        connection.transport.abort()

    error = failure(play)

    assert type(error) is NetworkError
    assert error.context.close_code == 1006


def test_a_server_that_closes_well_without_a_termination() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        await hear_terminate(connection)

    assert "code 1000" in str(failure(play))


@pytest.mark.parametrize("first", [TERMINATION, HI, {"type": "Checkpoint", "audio_received_bytes": 0}])
def test_a_server_that_does_not_begin_with_begin(first: dict[str, Any]) -> None:
    assert type(failure(lambda connection: say(connection, first))) is ProtocolViolation


def test_a_server_that_begins_twice() -> None:
    assert "in the middle" in str(failure(lambda connection: say(connection, BEGIN, BEGIN)))


def test_a_server_that_talks_nonsense() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        await connection.send(f"no JSON, {KEY}")

    error = failure(play)

    assert type(error) is ProtocolViolation
    assert "broke the protocol" in str(error)


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "ws://", "", "ws://[", "ws://host:port", f"ftp://u:{KEY}@x?token={KEY}"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(RequestError, match="no address of a server") as raised:
        run(lambda: listen(url))
    checked(raised.value)


class UserError(Exception):
    """What a caller's own code raises."""


def test_an_exception_in_user_code_passes_through_and_closes_at_once() -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        assert await hear_terminate(connection) == [], "nothing was sent, not even Terminate"
        assert connection.close_code == 1000

    async def scene() -> None:
        async with server(play) as url, connect(url, timeouts=SHORT):
            raise UserError

    with pytest.raises(UserError):
        run(scene)


async def hold(connection: ServerConnection) -> None:
    await say(connection, BEGIN, turn(0, word("half", 0, 200)))
    await connection.wait_closed()


async def begin_late(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def refuse_all(connection: ServerConnection) -> None:
    await say(connection, BEGIN)
    connection.transport.abort()


async def iterate(session: Session) -> None:
    async for _ in session:
        pass


async def end(session: Session) -> None:
    await session.terminate()
    await iterate(session)


async def leave(session: Session) -> None:
    """Leaves the block, which waits for Termination."""


@pytest.mark.parametrize(
    ("play", "act"),
    [(begin_late, leave), (hold, iterate), (hold, end), (hold, leave), (refuse_all, iterate)],
    ids=["while it begins", "while it listens", "while it ends", "while it leaves", "while it reconnects"],
)
def test_cancelled_at_each_phase(play: Play, act: Callable[[Session], Awaitable[None]]) -> None:
    async def talk(url: str) -> None:
        async with connect(url) as session:
            await act(session)

    async def scene() -> None:
        async with server(play) as url:
            talking = asyncio.create_task(talk(url))
            await asyncio.sleep(0.1)
            assert not talking.done()
            talking.cancel()
            async with asyncio.timeout(1):
                await asyncio.gather(talking, return_exceptions=True)
            assert talking.cancelled()

    run(scene)


def test_nothing_can_be_sent_once_the_session_is_over() -> None:
    async def scene() -> None:
        async with server(says_hi) as url, connect(url) as session:
            await session.terminate()
            await session.terminate()
            for send in (session.send_audio(CHUNK), session.keep_alive()):
                with pytest.raises(SessionOver, match="terminate"):
                    await send
            await iterate(session)
            assert await session.receive() is None
            await session.terminate()

    run(scene)


def test_a_failure_that_nobody_iterated_to_see_is_raised_on_leaving() -> None:
    async def scene() -> None:
        async with server(refuse_all) as url, connect(url, reconnect=None) as session:
            while True:
                await session.send_audio(CHUNK)

    with pytest.raises(SessionOver) as raised:
        run(scene)
    assert str(raised.value) == "the session has ended"

    async def quiet_scene() -> None:
        async with server(refuse_all) as url, connect(url, reconnect=None):
            await asyncio.sleep(0.05)

    with pytest.raises(NetworkError, match="was lost"):
        run(quiet_scene)
