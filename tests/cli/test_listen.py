"""`tympan listen` with files, pipes and scripted microphones, in this process, with the scripted engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pysubs2
import pytest
from command_line import MakeAudio, Run

from tympan.cli.captioning import listen_to, microphone_input
from tympan.cli.converse import Service
from tympan.cli.local import local_service
from tympan.cli.recorder import Recorder
from tympan.cli.screen import PlainScreen
from tympan.cli.transcript import SpokenTurn, TranscriptFormat
from tympan.cli.turn_writer import TurnWriter
from tympan.client.clock import RoomClock
from tympan.client.errors import AudioDeviceError
from tympan.client.scripted_device import ScriptedDevice
from tympan.core.units import Monotonic, StreamMs
from tympan.core.words import Word
from tympan.engines.registry import DEFAULT_ENGINE

FIRST = "Book a table.\n"


@pytest.fixture
def listen(run: Run, script: Path) -> Run:
    return lambda *arguments: run("listen", "--engine", "scripted", "--model", script, *arguments)


@pytest.fixture
def source(audio_file: MakeAudio) -> Path:
    """Just enough for the first turn."""
    return audio_file(seconds=1.5)


def test_a_file_is_heard_as_if_it_were_spoken_now(listen: Run, source: Path) -> None:
    ran = listen("--input", source)

    assert (ran.code, ran.output, ran.errors) == (0, FIRST, "")


def test_json_is_an_object_a_line(listen: Run, source: Path) -> None:
    ran = listen("--input", source, "--format", "json")

    (line,) = ran.output.splitlines()
    assert (json.loads(line)["text"], json.loads(line)["start"]) == ("Book a table.", 200)


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_and_audio_go_to_files(listen: Run, source: Path, tmp_path: Path, kind: str) -> None:
    target, audio = tmp_path / f"out.{kind}", tmp_path / "audio.wav"

    ran = listen("--input", source, "--format", kind, "--output", target, "--save-audio", audio)

    assert (ran.code, ran.output, ran.errors) == (0, "", "")
    (cue,) = pysubs2.load(str(target))
    assert (cue.start, cue.plaintext) == (200, "Book a table.")
    with wave.open(str(audio)) as saved:
        assert (saved.getframerate(), saved.getnchannels(), saved.getnframes()) == (16_000, 1, 24_000)


@pytest.mark.parametrize("kind", list(TranscriptFormat))
def test_a_killed_listener_leaves_what_was_settled(tmp_path: Path, kind: TranscriptFormat) -> None:
    target = tmp_path / "out"
    with TurnWriter(kind, target) as writer:
        writer.begin()
        writer.turn(SpokenTurn((Word("Hello.", StreamMs(100), StreamMs(500), 0.9),)))
        left = target.read_text()
    assert left == target.read_text()
    assert "Hello." in left


def test_a_pipe_is_heard_as_it_comes(script: Path, source: Path) -> None:
    command = [sys.executable, "-m", "tympan", "listen", "--engine", "scripted", "--model", str(script)]
    ran = subprocess.run([*command, "--input", "-"], input=source.read_bytes(), capture_output=True, check=False)

    assert (ran.returncode, ran.stdout.decode(), ran.stderr) == (0, FIRST, b"")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--input", "nowhere.wav"), 3, "nowhere.wav: no such file or directory"),
        (("--input", "x.wav", "--output", "/nowhere/at/all.srt"), 4, "no directory /nowhere/at"),
        (("--input", "x.wav", "--save-audio", "/nowhere/at/all.wav"), 4, "no directory /nowhere/at"),
        (("--input", "x.wav", "--format", "xml"), 2, "'--format'"),
        (("--input", "-", "--sample-rate", "1"), 2, "'--sample-rate'"),
    ],
)
def test_what_cannot_work_is_one_line_that_says_why(
    listen: Run, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ran = listen(*arguments)

    assert (ran.code, ran.output, ran.errors.count("\n")) == (code, "", 1)
    assert message in ran.errors


def test_a_server_that_is_not_there_is_one_line_and_leaves_files_alone(run: Run, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("precious")

    ran = run("listen", "--url", "ws://127.0.0.1:1", "--input", source, "-o", target, "--save-audio", target)

    assert (ran.code, ran.output, ran.errors.count("\n")) == (5, "", 1)
    assert "cannot connect to ws://127.0.0.1:1" in ran.errors
    assert target.read_text() == "precious"


@pytest.fixture
def no_sound_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    pytest.importorskip("sounddevice", exc_type=(ImportError, OSError))
    monkeypatch.setattr("sounddevice.query_devices", lambda *_: [])


@pytest.mark.usefixtures("no_sound_system")
def test_without_a_microphone_the_way_without_one_is_named(run: Run) -> None:
    ran = run("listen")

    assert (ran.code, ran.output) == (13, "")
    assert ran.errors == "tympan: this machine has no microphone; --input FILE and --input - need none\n"
    assert run("listen", "--list-devices").output == "no microphone\n"


def test_without_the_package_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)

    ran = run("listen")

    assert (ran.code, 'pip install "tympan[mic]"' in ran.errors) == (12, True)


def test_the_default_engine_of_listen_is_the_registrys(run: Run) -> None:
    assert f"default: {DEFAULT_ENGINE}" in run("listen", "--help").output


SPEECH = [b"\1\0" * 800] * 44
"""2.2 s: the script's first turn, and the beginning of "thanks"."""


@pytest.fixture
def service(script: Path) -> Iterator[Service]:
    with local_service("scripted", str(script), {}) as service:
        yield service


def heard(device: ScriptedDevice, service: Service, target: Path) -> str:
    """What a microphone leads to; the text is there even when it fails."""
    with TurnWriter(TranscriptFormat.TEXT, target) as writer:
        listen_to(microphone_input(device), service, PlainScreen(), writer, Recorder(None))
    return target.read_text()


class FastClock(RoomClock):
    """Ten times as fast."""

    def now(self) -> Monotonic:
        return Monotonic(super().now() * 10)

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 10)


def speech_until(mishap: Callable[[], None]) -> Iterator[bytes]:
    """The speech and a little more, and then something happens."""
    yield from SPEECH + SPEECH[:8]
    mishap()


def test_a_microphone_that_is_unplugged_ends_with_what_was_heard(service: Service, tmp_path: Path) -> None:
    device = ScriptedDevice(speech_until(lambda: device.unplug()), clock=FastClock())

    with pytest.raises(AudioDeviceError, match="was it unplugged"):
        heard(device, service, tmp_path / "out")

    assert (tmp_path / "out").read_text() == FIRST + "Thanks.\n"
    assert not device.is_open


def test_a_killed_recorder_leaves_what_was_recorded(tmp_path: Path) -> None:
    target = tmp_path / "audio.wav"
    with Recorder(target) as recorder:
        recorder.begin(8_000)
        recorder.record(SPEECH[0])
        with wave.open(str(target)) as saved:
            assert (saved.getframerate(), saved.readframes(10_000)) == (8_000, SPEECH[0])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("option", ["--output", "--save-audio"])
def test_a_disk_that_is_full_ends_with_one_line(listen: Run, source: Path, option: str) -> None:
    ran = listen("--input", source, option, "/dev/full")

    assert ran.code == 4
    assert ran.errors == "tympan: cannot write /dev/full: no space left on device\n"


def test_a_microphone_that_is_busy_is_told_before_anything_else(service: Service, tmp_path: Path) -> None:
    device = ScriptedDevice(refusal="device unavailable")

    with pytest.raises(AudioDeviceError, match="can't be opened: device unavailable"):
        heard(device, service, tmp_path / "out")


def test_ctrl_c_releases_the_microphone_and_tells_the_last_turn(service: Service, tmp_path: Path) -> None:
    device = ScriptedDevice(speech_until(lambda: os.kill(os.getpid(), signal.SIGINT)), clock=FastClock())

    with pytest.raises(KeyboardInterrupt):
        heard(device, service, tmp_path / "out")

    assert (tmp_path / "out").read_text() == FIRST + "Thanks.\n"
    assert not device.is_open
