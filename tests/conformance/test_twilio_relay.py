"""The example that relays phone calls, as a process, on streams of the shape that Twilio sends."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import soxr
from services import KEY, running
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tympan.client.known_recording import known_recording
from tympan.dsp.mulaw import decode_mulaw
from tympan.testing import DoubleServer

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "twilio" / "relay.py"
GUIDE = EXAMPLE.parents[2] / "howto" / "twilio.md"
SECRET = "/a-long-secret"
FRAME_BYTES = 20 * 8
SILENCE = b"\xff" * FRAME_BYTES


@dataclass
class Relay:
    address: str
    output: IO[str]
    errors: IO[str]

    def rings(self, path: str = SECRET) -> ClientConnection:
        return connect(f"{self.address}{path}", compression=None, proxy=None, open_timeout=60)


@contextmanager
def relay(url: str, key: str) -> Iterator[Relay]:
    variables = {"TYMPAN_URL": url, "TYMPAN_API_KEY": key, "RELAY_PATH": SECRET, "RELAY_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLE)],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline().strip()
        assert line.startswith("Listening on "), process.stderr.read()
        yield Relay(line.removeprefix("Listening on ").removesuffix(SECRET), process.stdout, process.stderr)
    finally:
        process.terminate()
        process.communicate(timeout=60)


class Call:
    """Twilio's side of a call: the messages of its Media Streams, numbered as they are."""

    def __init__(self, socket: ClientConnection, tracks: tuple[str, ...] = ("inbound",)) -> None:
        self._socket = socket
        self._number = 0
        self._frames = dict.fromkeys(tracks, 0)
        socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        start = {
            "accountSid": "AC0",
            "streamSid": "MZ0",
            "callSid": "CA0",
            "tracks": list(tracks),
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        self._send("start", start=start)

    def carries(self, audio: bytes, track: str = "inbound") -> None:
        for position in range(0, len(audio), FRAME_BYTES):
            count = self._frames[track] = self._frames[track] + 1
            payload = base64.b64encode(audio[position : position + FRAME_BYTES]).decode()
            media = {"track": track, "chunk": str(count), "timestamp": str(count * 20), "payload": payload}
            self._send("media", media=media)

    def presses(self, digit: str) -> None:
        self._send("dtmf", dtmf={"track": "inbound_track", "digit": digit})
        self._send("mark", mark={"name": "heard"})

    def ends(self) -> None:
        self._send("stop", stop={"accountSid": "AC0", "callSid": "CA0"})

    def _send(self, event: str, **values: Any) -> None:
        self._number += 1
        message = {"event": event, "sequenceNumber": str(self._number), "streamSid": "MZ0", **values}
        self._socket.send(json.dumps(message))


def mulaw(samples: np.ndarray[Any, np.dtype[np.int16]]) -> bytes:
    """The nearest of the 256 levels."""
    levels = decode_mulaw(bytes(range(256))).astype(np.int32)
    order = np.argsort(levels, kind="stable")
    middles = (levels[order][1:] + levels[order][:-1]) / 2
    return order[np.searchsorted(middles, samples)].astype(np.uint8).tobytes()


def over_the_phone(recording: Path) -> bytes:
    with wave.open(str(recording)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return mulaw(soxr.resample(samples, file.getframerate(), 8000))


@pytest.fixture
def double() -> Iterator[DoubleServer]:
    with DoubleServer() as running:
        running.says("Hi, my name is Sonny.", start_ms=100)
        yield running


def test_the_guide_shows_the_program_that_is_tested() -> None:
    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```" in GUIDE.read_text(encoding="utf-8")


def test_real_speech_over_the_phone_is_heard() -> None:
    recording = known_recording()
    if recording is None:
        pytest.skip("the package with the model and the recording is not installed")
    with running("serve", "--api-key", KEY) as address, relay(f"ws://{address}", KEY) as running_relay:
        with running_relay.rings() as socket:
            call = Call(socket)
            call.carries(over_the_phone(recording)[: 9 * 8000])
            call.ends()
            list(socket)
        lines = [running_relay.output.readline() for _ in range(2)]
    assert lines[0] == "CA0 inbound: It was the best of times, it was the worst of times.\n"
    assert lines[1].startswith("CA0 inbound: It was the age of wisdom")


def test_both_parties_are_told_apart_and_frames_are_gathered(double: DoubleServer) -> None:
    with relay(double.url, double.api_key) as running_relay:
        with running_relay.rings() as socket:
            call = Call(socket, ("inbound", "outbound"))
            for _ in range(101):
                call.carries(SILENCE, "inbound")
                call.carries(SILENCE, "outbound")
            call.presses("5")
            call.ends()
            list(socket)
        lines = sorted(running_relay.output.readline().strip() for _ in range(2))
    assert lines == ["CA0 inbound: Hi, my name is Sonny.", "CA0 outbound: Hi, my name is Sonny."]
    for session in double.sessions:
        session.assert_terminated_gracefully()
        session.assert_heard(ms=2020, give_or_take_ms=0)
        session.assert_parameters(encoding="pcm_mulaw", sample_rate=8000)
        *chunks, last = (len(chunk) for chunk in session._audio)
        assert set(chunks) == {3 * FRAME_BYTES}
        assert last == 2 * FRAME_BYTES


def test_a_call_that_breaks_off_is_told_to_its_end(double: DoubleServer) -> None:
    with relay(double.url, double.api_key) as running_relay:
        socket = running_relay.rings()
        with socket:
            Call(socket).carries(SILENCE * 100)
            socket.ping().wait(60)
            socket.socket.close()
        assert running_relay.output.readline() == "CA0 inbound: Hi, my name is Sonny.\n"
        double.assert_terminated_gracefully()  # the relay is stopped after that


def test_without_tympan_the_relay_says_so_and_takes_the_next_call(double: DoubleServer) -> None:
    double.closes(3009, at="begin", error="Unauthorized Connection: Too many concurrent sessions")
    double.then()
    double.says("Better now.")
    with relay(double.url, double.api_key) as running_relay:
        with running_relay.rings() as socket:
            Call(socket)
            list(socket)
        line = running_relay.errors.readline()
        assert line == "a call is not transcribed: Unauthorized Connection: Too many concurrent sessions\n"
        with running_relay.rings() as socket:
            call = Call(socket)
            call.carries(SILENCE * 100)
            call.ends()
            list(socket)
        assert running_relay.output.readline() == "CA0 inbound: Better now.\n"


def test_who_does_not_know_the_path_is_turned_away(double: DoubleServer) -> None:
    with relay(double.url, double.api_key) as running_relay, pytest.raises(InvalidStatus, match="404"):
        running_relay.rings("/")
    assert double.sessions == []
