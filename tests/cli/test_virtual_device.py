"""`tympan listen` at a real microphone that isn't there: PulseAudio's null sink, heard through PortAudio and ALSA.

Skipped where PulseAudio, PortAudio or ALSA's plugin for it is missing: on Debian, the packages pulseaudio,
pulseaudio-utils, libportaudio2 and libasound2-plugins.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tympan.client.known_recording import known_recording

pytestmark = pytest.mark.skipif(
    not (shutil.which("pulseaudio") and shutil.which("paplay")), reason="PulseAudio isn't installed"
)

PULSE_SCRIPT = """
load-module module-native-protocol-unix
load-module module-null-sink sink_name=speech rate=16000 channels=1
set-default-sink speech
set-default-source speech.monitor
"""


PATIENCE_S = 60


def wait_for(is_true: Callable[[], bool], timeout_s: float = PATIENCE_S) -> bool:
    give_up_at_s = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > give_up_at_s:
            return False
        time.sleep(0.02)
    return True


@dataclass(frozen=True)
class SoundSystem:
    """A PulseAudio of its own, whose only microphone hears what is played."""

    server: subprocess.Popen[bytes]
    environment: dict[str, str]

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command], env=self.environment, capture_output=True, text=True, check=False
        )

    @contextmanager
    def listening(self, saved: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
        """`tympan listen`, from when it hears."""
        command = [sys.executable, "-m", "tympan", "listen", "--save-audio", str(saved), *options]
        process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert wait_for(lambda: process.poll() is not None or (saved.exists() and saved.stat().st_size > 10_000))
            yield process
        finally:
            process.kill()


@pytest.fixture
def sound() -> Iterator[SoundSystem]:
    with tempfile.TemporaryDirectory(prefix="tympan-") as folder:  # a socket's path must be short
        script = Path(folder, "script.pa")
        script.write_text(PULSE_SCRIPT)
        home = {"HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder}
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PULSE")} | home
        options = ["-n", "-F", str(script), "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        server = subprocess.Popen(["pulseaudio", *options], env=environment, stderr=subprocess.DEVNULL)
        system = SoundSystem(server, environment)
        try:
            if not wait_for(lambda: "speech.monitor" in system.run("pactl", "info").stdout):
                pytest.skip("PulseAudio doesn't start here")
            listed = system.run(sys.executable, "-m", "tympan", "listen", "--list-devices")
            if "default\n" not in listed.stdout:
                pytest.skip(f"PortAudio doesn't see PulseAudio here: {listed.stdout}{listed.stderr}")
            yield system
        finally:
            server.kill()
            server.wait()


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """The first two sentences of the recording that the default model's package carries."""
    whole = known_recording()
    if whole is None:
        pytest.skip("the recording isn't installed")
    path = tmp_path / "speech.wav"
    with wave.open(str(whole)) as recording, wave.open(str(path), "wb") as beginning:
        beginning.setparams(recording.getparams())
        beginning.writeframes(recording.readframes(int(4.5 * recording.getframerate())))
    return path


def test_what_is_played_is_heard_by_a_microphone(sound: SoundSystem, speech: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.wav"
    with sound.listening(saved, "--engine", "scripted") as process:
        played = sound.run("paplay", speech)
        assert played.returncode == 0, played.stderr
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, errors) == (130, "")
    assert "It was the best of times" in sound.run(sys.executable, "-m", "tympan", "transcribe", saved).stdout
    with wave.open(str(saved)) as heard:
        assert (heard.getframerate(), heard.getnchannels()) == (16_000, 1)
        assert heard.getnframes() / 16_000 > 4.5


def test_a_sound_system_that_goes_away_is_an_error_of_the_device(sound: SoundSystem, tmp_path: Path) -> None:
    with sound.listening(tmp_path / "saved.wav", "--engine", "scripted") as process:
        sound.server.kill()
        _, errors = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 13
    assert "tympan: the microphone 'default'" in errors


def test_a_microphone_that_is_not_there_is_told_with_those_that_are(sound: SoundSystem) -> None:
    ran = sound.run(sys.executable, "-m", "tympan", "listen", "--device", "nonsense")

    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (13, "", 1)
    assert "there is no microphone 'nonsense'; expected an index or a part of a name of: 0 " in ran.stderr
