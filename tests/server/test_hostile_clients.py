"""Clients that vanish, flood, stall and never read: nothing stays behind and nobody else suffers."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections import Counter
from contextlib import AsyncExitStack, suppress

import pytest
from running_service import CHUNK, KEY, PATIENCE_S, Service, Start, endings, eventually
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from open_things import open_things
from tympan.engines.scripted import Script, ScriptedWord
from tympan.server.config import NetworkConfig
from tympan.server.transports import READ_BYTES

MASK = b"\0\0\0\0"


def handshake(service: Service, *, receive_bytes: int | None = None) -> socket.socket:
    """A raw connection after the upgrade, for what no library does."""
    raw = socket.socket()
    if receive_bytes is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.connect(("127.0.0.1", service.port))
    raw.sendall(
        b"GET /v3/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Authorization: " + KEY.encode() + b"\r\n\r\n"
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert b" 101 " in answer.splitlines()[0]
    return raw


def binary(payload: bytes) -> bytes:
    """One masked binary message of 126 to 65,535 bytes."""
    return b"\x82\xfe" + len(payload).to_bytes(2, "big") + MASK + payload


def text(message: str) -> bytes:
    """One masked text message of up to 125 bytes."""
    return b"\x81" + bytes([0x80 | len(message)]) + MASK + message.encode()


def held(service: Service) -> Counter[str]:
    return open_things() + Counter(tasks=service.tasks())


def test_clients_that_vanish_leave_nothing_behind(service: Service) -> None:
    service.connects().socket.close()
    assert eventually(service.is_idle)
    before = held(service)
    for number in range(30):
        raw = handshake(service)
        raw.sendall(binary(CHUNK) * (number % 5))
        if number % 2:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset, not an orderly end
        raw.close()
    assert eventually(service.is_idle)
    assert eventually(lambda: not held(service) - before), f"left behind: {held(service) - before}"


def test_a_client_that_leaves_right_after_terminate_leaves_nothing_behind(service: Service) -> None:
    for _ in range(10):
        client = service.connects()
        client.says(1400)
        client.sends({"type": "Terminate"})
        client.socket.close()
    assert eventually(service.is_idle)


def test_a_client_that_answers_no_ping_is_given_up(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    service = start()
    with handshake(service):
        assert eventually(lambda: service.gateway.admission.active == 1)
        service.loop.passes(NetworkConfig().ping_interval_s)
        assert service.gateway.admission.active == 1
        service.loop.passes(NetworkConfig().ping_timeout_s)
        assert eventually(service.is_idle)
    ended = vars(next(record for record in caplog.records if record.getMessage() == "session ended"))
    assert (ended["close_code"], ended["why"]) == (1006, "the client vanished")


def test_a_client_that_never_reads_is_cut(start: Start) -> None:
    words = tuple(ScriptedWord("long" * 250, number * 50, number * 50 + 50) for number in range(500))
    service = start(Script(words, frame_ms=50), network=NetworkConfig(send_timeout_s=0.3))
    service.listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with handshake(service, receive_bytes=4096) as raw:
        with suppress(OSError):
            for _ in words:
                raw.sendall(binary(CHUNK) + text('{"type": "ForceEndpoint"}'))
        assert eventually(lambda: endings(service, 1006) == 1)
        assert eventually(service.is_idle)


def test_pings_without_reading_do_not_fill_the_memory(service: Service) -> None:
    raw = handshake(service, receive_bytes=4096)
    raw.setblocking(False)
    block = (b"\x89\xfd" + MASK + b"p" * 125) * 500
    [connection] = service.server.server_state.connections

    def is_held_up() -> bool:
        with suppress(BlockingIOError):
            while True:
                raw.send(block)
        return not connection.transport.is_reading()

    assert eventually(is_held_up)
    assert connection.transport.get_write_buffer_size() < 300_000
    raw.close()
    assert eventually(service.is_idle)


async def open_many(url: str, count: int) -> tuple[int, int, int]:
    """Open connections at once; how many began, were refused by the protocol, were cut."""
    async with AsyncExitStack() as opened:

        async def one() -> str:
            try:
                opening = connect(url, additional_headers={"Authorization": KEY}, open_timeout=PATIENCE_S)
                client = await opened.enter_async_context(opening)
                return str(json.loads(await client.recv())["type"])
            except (OSError, InvalidHandshake, ConnectionClosed):
                return "cut"

        kinds = await asyncio.gather(*(one() for _ in range(count)))
    return kinds.count("Begin"), kinds.count("Error"), kinds.count("cut")


def test_a_flood_of_connections_gets_the_places_there_are(start: Start) -> None:
    service = start(max_sessions=7)
    assert asyncio.run(open_many(service.url + "/v3/ws", 300)) == (7, 293, 0)
    assert eventually(service.is_idle)
    assert service.connects().hears()["type"] == "Begin"


def test_connections_above_the_limit_are_cut(start: Start) -> None:
    service = start(max_sessions=7, network=NetworkConfig(max_connections=50))
    began, _, cut = asyncio.run(open_many(service.url + "/v3/ws", 300))
    assert began == 7
    assert cut > 0
    assert eventually(service.is_idle)
    assert service.connects().hears()["type"] == "Begin"


def test_garbage_on_the_port_disturbs_nobody(service: Service) -> None:
    victim = service.connects()
    victim.hears()
    for garbage in (b"\x16\x03\x01\x02\0", b"\0" * 100_000, b"GET / HTTP/9\r\n\r\n", b"\x82\xff" * 1000):
        raw = socket.create_connection(("127.0.0.1", service.port))
        with suppress(OSError):
            raw.sendall(garbage)
        raw.close()
    raw = handshake(service)
    raw.sendall(b"\xff" * 5000)
    victim.says(2000)
    victim.sends({"type": "Terminate"})
    assert victim.hears_end()[1] == 1000
    raw.close()
    assert eventually(service.is_idle)


def test_refusals_and_broken_text_leave_no_error_in_the_log(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidHandshake, match="404"):
        service.connects(path="/nowhere")
    client = handshake(service)
    client.sendall(b"\x81\x82" + MASK + b"\xff\xfe")
    answer = b""
    while received := client.recv(4096):
        answer += received
    assert answer.endswith(b"\x88\x0f\x03\xefinvalid UTF-8")  # close code 1007
    client.close()
    assert eventually(service.is_idle)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_flood_of_tiny_messages_does_not_hold_up_the_others(start: Start) -> None:
    service = start()
    service.listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # little is left when it ends
    victim = service.connects()
    victim.hears()
    flooder = handshake(service)
    is_over = threading.Event()

    def flood() -> None:
        with suppress(OSError):
            while not is_over.is_set():
                flooder.sendall(b"\x82\x80" + MASK + (b"\x82\x80" + MASK) * 20_000)

    thread = threading.Thread(target=flood)
    thread.start()
    answers = [victim.socket.ping().wait(PATIENCE_S) for _ in range(10)]
    read_at_once = {connection.transport.max_size for connection in service.server.server_state.connections}
    is_over.set()
    flooder.close()
    thread.join(PATIENCE_S)
    assert answers == [True] * 10, "while the flood goes on"
    assert read_at_once == {READ_BYTES}, "so much of the flood comes between two answers to others"
    victim.sends({"type": "Terminate"})
    assert victim.hears_end()[1] == 1000


def test_the_log_says_how_a_session_ended_and_no_secret(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = service.gateway.mint.mint(expires_in_s=60, max_session_s=60)
    client = service.connects(f"token={token}", key=None)
    client.says(2000)
    client.sends({"type": "Terminate"})
    client.hears_end()
    service.connects(f"token={token}x", key=None).hears_end()
    service.connects(key="a-wrong-key").hears_end()
    ended = next(record for record in caplog.records if record.getMessage() == "session ended")
    fields = vars(ended)
    assert (fields["protocol"], fields["engine"], fields["turns"]) == ("v3", "scripted", 1)
    assert (fields["audio_s"], fields["close_code"], fields["why"]) == (2.0, 1000, "terminated")
    ours = [record for record in caplog.records if not record.name.startswith("websockets")]
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours).lower()
    assert not [secret for secret in (token.lower(), KEY, "a-wrong-key", "sonny") if secret in told]
