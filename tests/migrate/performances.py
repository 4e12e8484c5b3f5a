"""Running a program of the corpus and judging what it printed.

Nothing of a program is changed for that: it speaks to the vendor's host over TLS, which leads to a server of the
test (`stand_ins/sitecustomize.py`), and hears a recording through `stand_ins/pyaudio.py`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import select
import signal
import socket
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from corpus import Program, Run
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from held_port import held_port
from third_party import Environment

HERE = Path(__file__).parent
KEY = "YOUR-API-KEY"
V2_HOST = "api.assemblyai.com"
V3_HOST = "streaming.assemblyai.com"
_START_TIMEOUT_S = 60.0
_HEARD_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 60.0
_QUIET_S = 1.5


@dataclass(frozen=True, slots=True)
class Vendor:
    """The server that programs reach under the vendor's names, and what makes them trust it."""

    port: int
    certificate: Path


@dataclass(frozen=True, slots=True)
class Performance:
    """What a program printed, or its user heard, and whether it came to an end when it should."""

    output: str
    has_ended: bool

    @property
    def lines(self) -> list[str]:
        """Lines as they stand on a terminal at the end: a carriage return starts a line anew."""
        return [line.strip() for line in re.split(r"[\r\n]+", self.output)]

    def count(self, text: str) -> int:
        return self.lines.count(text)


@dataclass(frozen=True, slots=True)
class Stage:
    """All that a program is run with: its packages, the server and the name it has, a recording."""

    environment: Environment
    vendor: Vendor
    host: str
    recording: Path

    def variables(self) -> dict[str, str]:
        certificate = str(self.vendor.certificate)
        return self.environment.surroundings(
            PYTHONPATH=str(HERE / "stand_ins"),
            PYTHONUNBUFFERED="1",
            VENDOR_HOST=self.host,
            VENDOR_PORT=str(self.vendor.port),
            SSL_CERT_FILE=certificate,
            REQUESTS_CA_BUNDLE=certificate,
            MICROPHONE_WAV=str(self.recording),
            ASSEMBLYAI_API_KEY=KEY,
        )

    def perform(self, program: Program, folder: Path) -> Performance:
        """Run a program in a folder of its own."""
        match program.run:
            case Run.FLASK:
                with self._served(folder, "flask", "--app", program.main, "run", "--port") as (port, process):
                    return _browse(f"ws://127.0.0.1:{port}/listen", self.recording, program.prints, process)
            case Run.FASTAPI:
                module = f"{Path(program.main).stem}:app"
                with self._served(folder, "uvicorn", module, "--port") as (port, process):
                    return _browse(f"ws://127.0.0.1:{port}/ws", self.recording, program.prints, process)
            case Run.TWILIO:
                with self._served(folder, "flask", "--app", program.main, "run", "--port") as (port, process):
                    return _telephone(f"ws://127.0.0.1:{port}/media", program.prints, process)
            case Run.NOTEBOOK:
                return self._run(folder, [str(HERE / "notebook_cells.py"), program.main], None)
            case Run.TO_ITS_END:
                return self._run(folder, [program.main, str(self.recording)], None)
            case _:
                return self._run(folder, [program.main], program.prints)

    def _run(self, folder: Path, arguments: list[str], ctrl_c_after: str | None) -> Performance:
        """Run to the end; with a line to wait for, press Ctrl+C once it is there."""
        with self._process(folder, *arguments) as process:
            told = ""
            if ctrl_c_after is not None:
                told = _read_until(process, ctrl_c_after, _HEARD_TIMEOUT_S)
                process.send_signal(signal.SIGINT)
            return _end(process, told, _HEARD_TIMEOUT_S if ctrl_c_after is None else _END_TIMEOUT_S)

    @contextmanager
    def _process(self, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [str(self.environment.interpreter), *arguments],
            cwd=folder,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @contextmanager
    def _served(self, folder: Path, *module: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
        with held_port() as port, self._process(folder, "-m", *module, str(port)) as process:
            give_up_at = time.monotonic() + _START_TIMEOUT_S
            while not _is_listening(port):
                if process.poll() is not None or time.monotonic() > give_up_at:
                    raise AssertionError(_end(process, "", 0).output)
                time.sleep(0.1)
            yield port, process


def _is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _read_until(process: subprocess.Popen[bytes], line: str, timeout_s: float) -> str:
    """What a process prints until a line is complete, or the time is over."""
    assert process.stdout is not None
    told, give_up_at = b"", time.monotonic() + timeout_s
    while line not in re.split(r"[\r\n]+", told.decode(errors="replace"))[:-1] and time.monotonic() < give_up_at:
        if not select.select([process.stdout], [], [], 0.1)[0]:
            continue
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            break
        told += piece
    return told.decode(errors="replace")


def _end(process: subprocess.Popen[bytes], told: str, timeout_s: float) -> Performance:
    try:
        rest, _ = process.communicate(timeout=timeout_s)
        has_ended = True
    except subprocess.TimeoutExpired:
        process.kill()
        rest, _ = process.communicate()
        has_ended = False
    return Performance(told + rest.decode(errors="replace"), has_ended)


def _calls(url: str) -> ClientConnection:
    return connect(url, compression=None, open_timeout=_START_TIMEOUT_S, close_timeout=1)


def _browse(url: str, recording: Path, text: str, process: subprocess.Popen[bytes]) -> Performance:
    """A browser that dictates a recording in pieces of 128 ms, waits for a text and writes down what it is told."""
    with _calls(url) as socket_, wave.open(str(recording), "rb") as microphone:
        while piece := microphone.readframes(2048):
            socket_.send(piece)
            time.sleep(2048 / microphone.getframerate())
        heard = _hear(socket_, text)
    process.terminate()
    log = _end(process, "", _END_TIMEOUT_S)
    return Performance("\n".join(heard) + "\n---\n" + log.output, log.has_ended)


def _hear(socket_: ClientConnection, text: str) -> list[str]:
    """What comes until a text has come and it has been quiet for a while; of JSON, the text."""
    heard: list[str] = []
    with suppress(TimeoutError, ConnectionClosed):
        while True:
            message = str(socket_.recv(timeout=_QUIET_S if text in heard else _HEARD_TIMEOUT_S))
            heard.append(json.loads(message).get("text", "") if message.startswith("{") else message)
    return heard


def _telephone(url: str, line: str, process: subprocess.Popen[bytes]) -> Performance:
    """A call of 2.5 s as Twilio streams it: µ-law, 20 ms a message."""
    quiet = base64.b64encode(b"\xff" * 160).decode()
    with _calls(url) as socket_:
        socket_.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        socket_.send(json.dumps({"event": "start", "start": {"streamSid": "MZ0", "mediaFormat": {"sampleRate": 8000}}}))
        for _ in range(125):
            socket_.send(json.dumps({"event": "media", "media": {"track": "inbound", "payload": quiet}}))
            time.sleep(0.02)
        socket_.send(json.dumps({"event": "stop", "stop": {}}))
        told = _read_until(process, "transcription over", _HEARD_TIMEOUT_S)
    process.terminate()
    return _end(process, told, _END_TIMEOUT_S)
