"""What the migration guide's program wants to be, promise by promise, where no other test says it in one sentence."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest
from hosted_replay import KEY, HostedReplay
from speech_track import SpeechTrack
from staged_server import BEGIN, CHUNK, HI, SHORT, TERMINATION, hear_terminate, run, say, server
from websockets.asyncio.server import ServerConnection

from tympan.client import (
    AudioDeviceError,
    Microphone,
    NetworkError,
    ServerError,
    Session,
    SessionParameters,
    Turn,
    connect,
)
from tympan.client.scripted_device import ScriptedDevice

SONNY = SpeechTrack.load("sonny")


class UserError(Exception):
    """What a caller's own code raises."""


Happening = Callable[[Session, ScriptedDevice, ServerConnection], Awaitable[None]]


async def well(session: Session, device: ScriptedDevice, connection: ServerConnection) -> None:
    await session.terminate()


async def unplugged(session: Session, device: ScriptedDevice, connection: ServerConnection) -> None:
    device.unplug()


async def frozen(session: Session, device: ScriptedDevice, connection: ServerConnection) -> None:
    device.freeze()


async def closed_by_the_server(session: Session, device: ScriptedDevice, connection: ServerConnection) -> None:
    await connection.close(3005, "the server fails")


async def cut(session: Session, device: ScriptedDevice, connection: ServerConnection) -> None:
    connection.transport.abort()


async def wrong_in_user_code(session: Session, device: ScriptedDevice, connection: ServerConnection) -> None:
    raise UserError


async def ctrl_c(session: Session, device: ScriptedDevice, connection: ServerConnection) -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("happens", "error"),
    [
        (well, None),
        (unplugged, AudioDeviceError),
        (frozen, AudioDeviceError),
        (closed_by_the_server, ServerError),
        (cut, NetworkError),
        (wrong_in_user_code, UserError),
        (ctrl_c, KeyboardInterrupt),
    ],
)
def test_the_microphone_is_released_on_every_path_and_no_thread_or_task_is_left(
    happens: Happening, error: type[BaseException] | None
) -> None:
    device = ScriptedDevice()
    connections: list[ServerConnection] = []

    async def play(connection: ServerConnection) -> None:
        connections.append(connection)
        await say(connection, BEGIN)
        await connection.recv()
        await say(connection, HI)
        await hear_terminate(connection)
        await say(connection, TERMINATION)

    async def scene() -> None:
        async with (
            asyncio.timeout(5),
            server(play) as url,
            Microphone(device, stall_s=0.2) as microphone,
            connect(url, reconnect=None, timeouts=SHORT) as session,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(session.send_from(microphone))
            async for event in session:
                if isinstance(event, Turn):
                    assert device.is_open
                    await happens(session, device, connections[0])

    if error is None:
        run(scene)
    else:
        with pytest.raises((error, ExceptionGroup)) as raised:
            run(scene)
        group = raised.value
        assert isinstance(group, error) or (isinstance(group, ExceptionGroup) and group.subgroup(error))
    assert not device.is_open


@pytest.mark.parametrize("thinking_s", [0.0, 0.15])
def test_terminate_is_sent_and_the_last_turns_and_termination_are_awaited_not_slept_for(thinking_s: float) -> None:
    async def play(connection: ServerConnection) -> None:
        await say(connection, BEGIN)
        assert await hear_terminate(connection) == [CHUNK]
        await asyncio.sleep(thinking_s)
        await say(connection, HI, TERMINATION)

    async def scene() -> tuple[list[str], float]:
        async with server(play) as url, connect(url) as session:
            await session.send_audio(CHUNK)
            loop = asyncio.get_running_loop()  # whose clock doesn't count what a busy machine takes
            told_at = loop.time()
            await session.terminate()
            heard = [type(event).__name__ async for event in session]
            return heard, loop.time() - told_at

    heard, took_s = run(scene)
    assert heard == ["Turn", "Termination"]
    assert thinking_s <= took_s < thinking_s + 1


@pytest.mark.parametrize(("is_wanted", "told"), [(True, [False, True]), (False, [False])])
def test_turns_come_unformatted_and_where_it_is_wanted_formatted_too(is_wanted: bool, told: list[bool]) -> None:
    async def scene() -> list[bool]:
        parameters = SessionParameters(format_turns=is_wanted)
        async with HostedReplay(SONNY) as service, connect(service.url, api_key=KEY, parameters=parameters) as session:
            await session.send_audio(SONNY.audio())
            await session.terminate()
            turns = [event async for event in session if isinstance(event, Turn) and event.end_of_turn]
            return [turn.turn_is_formatted for turn in turns if turn.turn_order == 0]

    assert run(scene) == told
