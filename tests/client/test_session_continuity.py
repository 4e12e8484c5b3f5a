"""A session goes on over lost connections: what is sent again, what is told, and when it gives up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from staged_server import AT_ONCE, BEGIN, SHORT, TERMINATION, run, say, server, turn, word
from websockets.asyncio.server import ServerConnection

from tympan.client import (
    AuthError,
    BufferFull,
    ClientError,
    Continuation,
    NetworkError,
    Reconnected,
    Reconnecting,
    ReconnectPolicy,
    ServerError,
    Session,
    SessionLost,
    SessionOver,
    SessionParameters,
    Termination,
    Timeouts,
    Turn,
    UpdateConfiguration,
    connect,
)
from tympan.client.aio import Timing
from tympan.wire.v3.messages import KeepAlive

KEPT = BEGIN | {"resume_key": "the-resume-key", "resume_window_seconds": 30}
RESUMED = {"type": "Resumed", "id": BEGIN["id"], "expires_at": BEGIN["expires_at"]}


@dataclass
class Visit:
    """One connection as the server saw it."""

    query: dict[str, str]
    key: str | None
    connection: ServerConnection
    audio: bytearray = field(default_factory=bytearray)
    controls: list[dict[str, Any]] = field(default_factory=list)

    async def hears(self, *, audio_ms: int = 0, control: str | None = None) -> None:
        """Wait for so much audio in all, or for a control."""
        while len(self.audio) < audio_ms * 32 or (control is not None and not self._has(control)):
            message = await self.connection.recv()
            if isinstance(message, bytes):
                self.audio += message
            else:
                self.controls.append(json.loads(message))

    async def says(self, *messages: dict[str, Any]) -> None:
        await say(self.connection, *messages)

    def _has(self, control: str) -> bool:
        return any(item["type"] == control for item in self.controls)


Scene = Callable[[Visit], Awaitable[None]]


class Stage:
    """A server that plays one scene for each connection, the last one for all that follow. A scene that ends cuts."""

    def __init__(self, *scenes: Scene) -> None:
        self._scenes = scenes
        self.visits: list[Visit] = []

    async def play(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = {name: values[-1] for name, values in parse_qs(urlsplit(connection.request.path).query).items()}
        visit = Visit(query, connection.request.headers.get("Authorization"), connection)
        self.visits.append(visit)
        await self._scenes[min(len(self.visits), len(self._scenes)) - 1](visit)
        connection.transport.abort()

    def hold(
        self,
        act: Callable[[Session], Awaitable[None]],
        hear: Callable[[object], None] = lambda event: None,
        **options: Any,
    ) -> list[Any]:
        """What a client is told that does this; `hear` is called with each event."""
        options = {"reconnect": AT_ONCE, "timeouts": SHORT, "api_key": "key"} | options
        told: list[Any] = []

        async def scene() -> None:
            async with server(self.play) as url, connect(url, **options) as session, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._act(act, session))
                async for event in session:
                    told.append(event)
                    hear(event)

        try:
            run(scene)
        except* ClientError as group:
            told.append(group.exceptions[0])
        return told

    async def _act(self, act: Callable[[Session], Awaitable[None]], session: Session) -> None:
        await act(session)


async def ends(visit: Visit) -> None:
    """The scene in which all goes well."""
    await visit.says(BEGIN)
    await farewell(visit)


async def farewell(visit: Visit) -> None:
    await visit.hears(control="Terminate")
    await visit.says(TERMINATION)
    await visit.connection.close()


def pcm(ms: int) -> bytes:
    """Audio in which each millisecond is different from those near it."""
    return b"".join(at.to_bytes(2, "little") * 16 for at in range(ms))


async def speak(session: Session) -> None:
    await session.send_audio(pcm(2000))
    await session.terminate()


def test_audio_is_sent_again_from_the_end_of_the_last_final_word() -> None:
    async def cut(visit: Visit) -> None:
        await visit.says(BEGIN, turn(0, word("one", 0, 300), ended=True, formatted=True))
        await visit.hears(audio_ms=1000)

    async def goes_on(visit: Visit) -> None:
        await visit.says(BEGIN, turn(0, word("two", 100, 500), ended=True, formatted=True))
        await farewell(visit)

    stage = Stage(cut, goes_on)
    told = stage.hold(speak)

    first, second = stage.visits
    assert bytes(second.audio) == pcm(2000)[300 * 32 :]
    assert (second.query, second.key) == (first.query, "key")
    assert [type(event) for event in told] == [Turn, Reconnecting, Reconnected, Turn, Termination]
    assert (told[1].attempt, type(told[1].error)) == (1, NetworkError)
    assert (told[2].how, told[2].missing_ms) == (Continuation.REPLAYED, 0)
    assert [(turn.turn_order, turn.words[0].start, turn.words[0].end) for turn in (told[0], told[3])] == [
        (0, 0, 300),
        (1, 400, 800),
    ]


def test_an_open_turn_goes_on_with_the_words_that_were_final() -> None:
    one, two = word("one", 0, 300), word("two", 2400, 2700)

    async def cut(visit: Visit) -> None:
        await visit.says(BEGIN, turn(0, one, two, word("thr", 2800, 2900, is_final=False)))
        await visit.hears(audio_ms=2900)

    async def goes_on(visit: Visit) -> None:
        await visit.says(BEGIN, turn(0, word("two", 150, 460), word("three", 540, 850), ended=True))
        await farewell(visit)

    async def act(session: Session) -> None:
        await session.send_audio(pcm(3000))
        await session.terminate()

    stage = Stage(cut, goes_on)
    told = stage.hold(act)

    assert bytes(stage.visits[1].audio) == pcm(3000)[2250 * 32 :], "from before a word within two seconds"
    ended = next(event for event in told if isinstance(event, Turn) and event.end_of_turn)
    assert (ended.turn_order, ended.transcript) == (0, "one two three")
    assert [(word.start, word.end) for word in ended.words] == [(0, 300), (2400, 2700), (2790, 3100)]


FAST = Timing(lambda: asyncio.get_running_loop().time() * 100, lambda seconds: asyncio.sleep(seconds / 100))


async def says_nothing(visit: Visit) -> None:
    """What a service does that doesn't know checkpoints."""


async def settles(visit: Visit) -> None:
    await visit.hears(audio_ms=2500)
    checkpoint = {"type": "Checkpoint", "audio_received_bytes": 0, "audio_settled_ms": 2000, "messages_received": 0}
    await visit.says(checkpoint)


@pytest.mark.parametrize(
    ("begin", "shows_silence"), [(KEPT, settles), (BEGIN, says_nothing)], ids=["tympan", "any other service"]
)
def test_an_open_turn_whose_end_the_new_session_does_not_hear_is_ended_by_silence(
    begin: dict[str, Any], shows_silence: Scene
) -> None:
    """Not only by the next words: whoever waits for the end of the turn may be the one who has to speak."""
    has_ended = asyncio.Event()

    async def cut(visit: Visit) -> None:
        await visit.says(BEGIN, turn(0, word("one", 0, 300), word("two", 400, 700)))
        await visit.hears(audio_ms=900)

    async def goes_on(visit: Visit) -> None:
        await visit.says(begin)
        await shows_silence(visit)
        await visit.hears(control="ForceEndpoint")
        await visit.says(turn(0, word("three", 60_000, 60_200), ended=True))
        await farewell(visit)

    async def act(session: Session) -> None:
        await session.send_audio(pcm(1000))
        async with asyncio.timeout(5):
            while not has_ended.is_set():
                await session.send_audio(pcm(500))
                await asyncio.sleep(0.005)
        await session.force_endpoint()
        await session.terminate()

    def hear(event: object) -> None:
        if isinstance(event, Turn) and event.end_of_turn:
            has_ended.set()

    told = Stage(cut, goes_on).hold(act, hear, timing=FAST)

    ended = [event for event in told if isinstance(event, Turn) and event.end_of_turn]
    assert [(turn.turn_order, turn.transcript) for turn in ended] == [(0, "one two"), (1, "three")]


@pytest.mark.parametrize("code", [3005, 3008])
def test_a_turn_that_a_leaving_service_ended_may_end_in_mid_word_so_its_last_words_are_heard_again(code: int) -> None:
    async def leaves(visit: Visit) -> None:
        await visit.says(BEGIN)
        await visit.hears(audio_ms=1000)
        one, two, three = word("one", 0, 300), word("two", 500, 700), word("three", 800, 900)
        await visit.says(turn(0, one, ended=True), turn(1, two, three, ended=True))
        await visit.says({"type": "Error", "error_code": code, "error": "leaving"})
        await visit.connection.close(code)

    async def goes_on(visit: Visit) -> None:
        two, three, hundred = word("two", 150, 350), word("three", 450, 560), word("hundred", 570, 750)
        await visit.says(BEGIN, turn(0, two, three, hundred, ended=True))
        await farewell(visit)

    stage = Stage(leaves, goes_on)
    told = stage.hold(speak)

    assert bytes(stage.visits[1].audio) == pcm(2000)[350 * 32 :]
    turns = [event for event in told if isinstance(event, Turn)]
    assert [(event.turn_order, event.transcript) for event in turns] == [(0, "one"), (1, "two three"), (2, "hundred")]


def test_controls_keep_their_place_and_changes_become_parameters_of_the_next_session() -> None:
    async def cut(visit: Visit) -> None:
        await visit.says(BEGIN)
        await visit.hears(audio_ms=200)
        await visit.says(turn(0, word("one", 0, 150), ended=True))
        await visit.hears(audio_ms=400, control="ForceEndpoint")

    async def act(session: Session) -> None:
        await session.update(UpdateConfiguration(max_turn_silence=900, keyterms_prompt=()))
        await session.send_audio(bytes(200 * 32))
        await session.send(KeepAlive())
        await session.send_audio(bytes(200 * 32))
        await session.update(UpdateConfiguration(format_turns=True))
        await session.force_endpoint()
        await speak(session)

    stage = Stage(cut, ends)
    stage.hold(act, parameters=SessionParameters(max_turn_silence=500))

    first, second = stage.visits
    assert first.query["max_turn_silence"] == "500"
    assert (second.query["max_turn_silence"], second.query["keyterms_prompt"]) == ("900", "[]")
    assert "format_turns" not in second.query, "it came after the audio that is sent again"
    assert [item["type"] for item in second.controls] == [
        "KeepAlive",
        "UpdateConfiguration",
        "ForceEndpoint",
        "Terminate",
    ]


def test_a_session_that_the_server_keeps_is_resumed_exactly() -> None:
    async def cut(visit: Visit) -> None:
        await visit.says(KEPT)
        await visit.hears(audio_ms=1000, control="ForceEndpoint")
        await visit.says(
            turn(0, word("one", 0, 300, is_final=False)),
            {"type": "SomethingNew"},
            {"type": "Checkpoint", "audio_received_bytes": 32_000, "audio_settled_ms": 250, "messages_received": 1},
        )
        await visit.hears(control="Acknowledge")

    async def goes_on(visit: Visit) -> None:
        await visit.says(RESUMED | {"audio_received_bytes": 900 * 32 + 1, "messages_received": 1})
        await visit.says(turn(0, word("one", 0, 300), ended=True, formatted=True))
        await farewell(visit)

    async def act(session: Session) -> None:
        await session.force_endpoint()
        await speak(session)

    stage = Stage(cut, goes_on)
    told = stage.hold(act)

    first, second = stage.visits
    assert first.query["resumable"] == "true"
    assert [item for item in first.controls if item["type"] == "Acknowledge"] == [
        {"type": "Acknowledge", "messages": 4}
    ]
    assert (second.query, second.key) == ({"resume_key": "the-resume-key", "messages_received": "4"}, None)
    assert bytes(second.audio) == pcm(2000)[900 * 32 + 1 :]
    assert [item["type"] for item in second.controls] == ["Terminate"]
    assert [event.how for event in told if isinstance(event, Reconnected)] == [Continuation.RESUMED]
    assert [event.words[0].end for event in told if isinstance(event, Turn)] == [300, 300], "times stay as they are"


async def keeps(visit: Visit) -> None:
    await visit.says(KEPT)
    await visit.hears(audio_ms=1000)
    await visit.says({"type": "Checkpoint", "audio_received_bytes": 0, "audio_settled_ms": 700, "messages_received": 0})
    await visit.hears(control="Acknowledge")


async def refuses(visit: Visit) -> None:
    await visit.says({"type": "Error", "error_code": 4004, "error": "Session Not Resumable: unknown"})
    await visit.connection.close(4004)


async def resumes_wrongly(visit: Visit) -> None:
    await visit.says(RESUMED | {"audio_received_bytes": 1_000_000, "messages_received": 0})


@pytest.mark.parametrize("second", [refuses, resumes_wrongly, ends])
def test_where_resuming_is_refused_a_new_session_is_given_what_is_not_settled(second: Scene) -> None:
    stage = Stage(keeps, second, ends)
    told = stage.hold(speak)

    assert len(stage.visits) == 3
    assert bytes(stage.visits[2].audio) == pcm(2000)[700 * 32 :]
    assert stage.visits[2].key == "key"
    assert [event.how for event in told if isinstance(event, Reconnected)] == [Continuation.REPLAYED]


def test_a_session_that_is_gone_is_asked_for_once() -> None:
    async def is_cut(_: Visit) -> None:
        """Before it begins."""

    stage = Stage(keeps, refuses, is_cut, ends)
    stage.hold(speak)

    assert ["resume_key" in visit.query for visit in stage.visits] == [False, True, False, False]
    assert bytes(stage.visits[3].audio) == pcm(2000)[700 * 32 :]


def test_a_session_that_the_server_ended_itself_is_not_asked_for_again() -> None:
    async def expires(visit: Visit) -> None:
        await keeps(visit)
        await visit.says({"type": "Error", "error_code": 3008, "error": "Session Expired"})
        await visit.connection.close(3008)

    stage = Stage(expires, ends)
    stage.hold(speak)

    assert "resume_key" not in stage.visits[1].query


async def cuts(visit: Visit) -> None:
    await visit.says(BEGIN)


async def refuses_the_key(visit: Visit) -> None:
    await visit.says({"type": "Error", "error_code": 1008, "error": "Unauthorized Connection: expired"})
    await visit.connection.close(1008)


def test_a_key_that_is_not_valid_any_more_ends_the_session() -> None:
    told = Stage(cuts, refuses_the_key).hold(speak)

    assert type(told[-1]) is AuthError


def test_attempts_end_with_the_last_error() -> None:
    stage = Stage(cuts)
    told = stage.hold(speak)

    assert [event.attempt for event in told if isinstance(event, Reconnecting)] == [1, 2, 3, 4, 5]
    assert len(stage.visits) == 6
    assert type(told[-1]) is NetworkError
    assert str(told[-1]) == "the connection to the server was lost (gave up after 5 attempts)"


def test_attempts_begin_anew_once_a_connection_has_worked() -> None:
    async def works(visit: Visit) -> None:
        await visit.says(BEGIN, turn(0, word("one", 0, 100), ended=True))

    told = Stage(cuts, cuts, works, cuts, ends).hold(speak)

    assert [event.attempt for event in told if isinstance(event, Reconnecting)] == [1, 2, 1, 2]


def test_a_server_that_fails_before_it_has_told_anything_has_answered() -> None:
    async def fails(visit: Visit) -> None:
        await visit.says(BEGIN, {"type": "Error", "error_code": 3005, "error": "Session Cancelled"})
        await visit.connection.close(3005)

    stage = Stage(fails)
    told = stage.hold(speak)

    assert (len(stage.visits), type(told[-1]), str(told[-1])) == (1, ServerError, "Session Cancelled")


OPUS = {"encoding": "opus"}
PACKETS = [bytes([number]) * 41 for number in range(100)]


async def send_packets(session: Session) -> None:
    with suppress(SessionOver):  # iterating tells why
        for packet in PACKETS:
            await session.send_audio(packet)
        await session.force_endpoint()
    await session.terminate()


async def hears_packets(visit: Visit, count: int) -> None:
    while len(visit.audio) < count * 41:
        visit.audio += await visit.connection.recv(decode=False)


def test_compressed_audio_is_not_given_to_another_session() -> None:
    stage = Stage(cuts)
    told = stage.hold(speak, parameters=OPUS)

    assert (len(stage.visits), type(told[-1])) == (1, NetworkError)


def test_compressed_audio_goes_on_with_the_next_packet_where_the_server_keeps_the_session() -> None:
    async def cut(visit: Visit) -> None:
        await visit.says(KEPT)
        await hears_packets(visit, 60)
        await visit.says(
            {"type": "Checkpoint", "audio_received_bytes": 50 * 41, "audio_settled_ms": 1, "messages_received": 0}
        )

    async def goes_on(visit: Visit) -> None:
        await visit.says(RESUMED | {"audio_received_bytes": 70 * 41, "messages_received": 0})
        await farewell(visit)

    stage = Stage(cut, goes_on)
    told = stage.hold(send_packets, parameters=OPUS)

    assert bytes(stage.visits[1].audio) == b"".join(PACKETS[70:])
    assert [item["type"] for item in stage.visits[1].controls] == ["ForceEndpoint", "Terminate"]
    assert [(event.how, event.resent_ms) for event in told if isinstance(event, Reconnected)] == [("resumed", 0)]
    assert isinstance(told[-1], Termination)


@pytest.mark.parametrize("second", [refuses, resumes_wrongly])
def test_compressed_audio_whose_session_is_gone_ends_with_that(second: Scene) -> None:
    async def cut(visit: Visit) -> None:
        await visit.says(KEPT)
        await hears_packets(visit, 60)

    stage = Stage(cut, second, ends)
    told = stage.hold(send_packets, parameters=OPUS)

    assert (len(stage.visits), type(told[-1])) == (2, SessionLost)


def test_compressed_audio_that_the_server_has_makes_room_for_more_while_there_is_no_connection() -> None:
    lost, sent = asyncio.Event(), asyncio.Event()

    async def cut(visit: Visit) -> None:
        await visit.says(KEPT)
        await hears_packets(visit, 60)
        await visit.says(
            {"type": "Checkpoint", "audio_received_bytes": 60 * 41, "audio_settled_ms": 1, "messages_received": 0}
        )
        await visit.hears(control="Acknowledge")

    async def is_away(_: Visit) -> None:
        await sent.wait()

    async def goes_on(visit: Visit) -> None:
        await visit.says(RESUMED | {"audio_received_bytes": 60 * 41, "messages_received": 0})
        await farewell(visit)

    async def act(session: Session) -> None:
        for packet in PACKETS[:60]:
            await session.send_audio(packet)
        await lost.wait()
        for packet in PACKETS[60:]:
            await session.send_audio(packet)
        sent.set()
        await session.terminate()

    stage = Stage(cut, is_away, goes_on)
    told = stage.hold(
        act,
        lambda event: lost.set() if isinstance(event, Reconnecting) else None,
        parameters=OPUS,
        max_kept_audio_s=3_000 / 32_000,  # 73 packets
    )

    assert bytes(stage.visits[-1].audio) == b"".join(PACKETS[60:])
    assert isinstance(told[-1], Termination)


def test_a_token_is_fetched_for_each_connection() -> None:
    fetched: list[str] = []

    async def fetch() -> str:
        fetched.append(f"token {len(fetched)}")
        return fetched[-1]

    stage = Stage(cuts, ends)
    stage.hold(speak, token=fetch, api_key=None)

    assert [(visit.query["token"], visit.key) for visit in stage.visits] == [("token 0", None), ("token 1", None)]


def test_when_nothing_more_can_be_kept_the_caller_is_told_and_nothing_is_dropped() -> None:
    refuses_now = asyncio.Event()

    async def cut(visit: Visit) -> None:
        await visit.says(BEGIN)
        await visit.hears(audio_ms=100)

    async def comes_back(visit: Visit) -> None:
        await refuses_now.wait()
        await ends(visit)

    stage = Stage(cut, comes_back)

    async def act(session: Session) -> None:
        await session.send_audio(pcm(100))
        while not stage.visits[1:]:
            await asyncio.sleep(0.001)
        await session.send_audio(bytes(900 * 32))
        with pytest.raises(BufferFull, match="1 s of audio wait"):
            await session.send_audio(bytes(32))
        refuses_now.set()
        while True:  # until there is a connection again
            try:
                await session.send_audio(b"\x01" * 32)
                break
            except BufferFull:
                await asyncio.sleep(0.001)
        await session.terminate()

    stage.hold(act, max_kept_audio_s=1.0)

    assert bytes(stage.visits[1].audio) == pcm(100) + bytes(900 * 32) + b"\x01" * 32


def test_of_a_long_payload_that_does_not_fit_it_is_said_how_much_was_taken() -> None:
    may_begin = asyncio.Event()

    async def comes_back(visit: Visit) -> None:
        await may_begin.wait()
        await ends(visit)

    stage = Stage(cuts, comes_back)

    async def act(session: Session) -> None:
        while not stage.visits[1:]:
            await asyncio.sleep(0.001)
        with pytest.raises(BufferFull) as raised:
            await session.send_audio(pcm(2000))
        assert raised.value.taken_bytes == 32_000
        may_begin.set()
        await session.terminate()

    stage.hold(act, max_kept_audio_s=1.5)

    assert bytes(stage.visits[1].audio) == pcm(1000)


def test_audio_that_waits_for_a_slow_server_holds_the_caller_up() -> None:
    async def slow(visit: Visit) -> None:
        await visit.says(BEGIN)
        visit.connection.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)
        visit.connection.transport.resume_reading()  # type: ignore[attr-defined]
        await farewell(visit)

    async def act(session: Session) -> None:
        for _ in range(200):
            await session.send_audio(bytes(32_000))
        await session.terminate()

    stage = Stage(slow)
    stage.hold(act, max_kept_audio_s=2.0, timeouts=Timeouts())

    assert len(stage.visits[0].audio) == 200 * 32_000


def test_controls_wait_for_a_slow_server_as_audio_does() -> None:
    may_listen = asyncio.Event()
    chunk, offered = bytes(32_000), 0

    async def slow(visit: Visit) -> None:
        await visit.says(BEGIN)
        visit.connection.transport.pause_reading()  # type: ignore[attr-defined]
        await may_listen.wait()
        visit.connection.transport.resume_reading()  # type: ignore[attr-defined]
        await farewell(visit)

    async def act(session: Session) -> None:
        nonlocal offered
        with suppress(TimeoutError):  # no room is left
            while True:
                async with asyncio.timeout(0.2):
                    await session.send_audio(chunk)
                offered += 1
        asyncio.get_running_loop().call_later(0.05, may_listen.set)
        await session.force_endpoint()
        await session.send_audio(chunk)
        await session.terminate()

    stage = Stage(slow)
    told = stage.hold(act, max_kept_audio_s=2.0, timeouts=Timeouts())

    (visit,) = stage.visits
    assert [item["type"] for item in visit.controls] == ["ForceEndpoint", "Terminate"]
    assert len(visit.audio) == (offered + 1) * len(chunk)
    assert [type(event) for event in told] == [Termination]


def test_leaving_while_there_is_no_connection_is_bounded_and_told() -> None:
    async def scene() -> None:
        stage = Stage(cuts)
        async with server(stage.play) as url, connect(url, reconnect=ReconnectPolicy(first_delay_s=60), timeouts=SHORT):
            await asyncio.sleep(0.05)

    with pytest.raises(NetworkError, match="could not be ended within"):
        run(scene)
