"""Clients that flood: each sends one kind of message as fast as its socket takes them, and reads what comes back.

`python -m bench.flooding ADDRESS KIND COUNT` floods until its standard input ends. A flooder whose session is ended
begins another one.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.server import API_KEY

_MASK = b"\0\0\0\0"
_BLOCK_BYTES = 65_536
_AGAIN_S = 0.05
_TEXT, _BINARY, _PING = 0x81, 0x82, 0x89
_OPUS_PACKET = b"\x80" + bytes(range(7, 16))
"""2.5 ms, narrow band (RFC 6716, table 2); every decoder makes something of the rest."""

_CONTROLS = (
    {"type": "KeepAlive"},
    {"type": "UpdateConfiguration", "max_turn_silence": 1500},
    {"type": "ForceEndpoint"},
)


@dataclass(frozen=True, slots=True)
class Flood:
    """What a flooder sends: messages (first byte and payload), over and over, in a session with these parameters."""

    messages: tuple[tuple[int, bytes], ...]
    query: str = ""

    def block(self) -> bytes:
        """Whole rounds of the messages, as they go over the wire."""
        one = b"".join(_masked(first, payload) for first, payload in self.messages)
        return one * (_BLOCK_BYTES // len(one))


FLOODS = {
    "opus": Flood(((_BINARY, _OPUS_PACKET),), "encoding=opus"),
    "pcm": Flood(((_BINARY, b"\0" * 32),)),
    "controls": Flood(tuple((_TEXT, json.dumps(message).encode()) for message in _CONTROLS)),
    "pings": Flood(((_PING, b"ping"),)),
}
"""By name; a `pcm` message is 1 ms of audio, an `opus` message 2.5 ms."""


@contextmanager
def flooding(address: str, kind: str, count: int) -> Iterator[None]:
    """So many flooders, none included, in a process of their own while the context lasts."""
    if not count:
        yield
        return
    command = [sys.executable, "-m", "bench.flooding", address, kind, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            yield
        finally:
            process.stdin.close()


def _masked(first: int, payload: bytes) -> bytes:
    assert len(payload) < 126
    return bytes([first, 0x80 | len(payload)]) + _MASK + payload


def _connect(address: str, query: str) -> socket.socket:
    """A session of its own.

    Raises:
        OSError: the server can't be reached, or refuses.
    """
    parts = urlsplit(address)
    assert parts.hostname is not None
    opened = socket.create_connection((parts.hostname, parts.port or 80), timeout=30)
    key = base64.b64encode(bytes(16)).decode()
    request = (
        f"GET /v3/ws?{query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: {API_KEY}\r\n\r\n"
    )
    opened.sendall(request.encode())
    if b" 101 " not in opened.recv(65_536).split(b"\r\n", 1)[0]:
        opened.close()
        raise ConnectionRefusedError(f"{address} refused a flooder")
    return opened


def _drain(opened: socket.socket) -> None:
    """Read what comes, so that the flooder isn't cut as one that doesn't."""
    with suppress(OSError):
        while opened.recv(65_536):
            pass
        opened.shutdown(socket.SHUT_RDWR)


def _flood(address: str, flood: Flood) -> None:
    block = flood.block()
    while True:
        with suppress(OSError), _connect(address, flood.query) as opened:
            threading.Thread(target=_drain, args=(opened,), daemon=True).start()
            while True:
                opened.sendall(block)
        time.sleep(_AGAIN_S)


def main(address: str, kind: str, count: int) -> None:
    for _ in range(count):
        threading.Thread(target=_flood, args=(address, FLOODS[kind]), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
