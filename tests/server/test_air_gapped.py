"""On a machine without any network: the model is found and converted, speech is transcribed, and nobody is called.

The machine is a network namespace with a loopback device and nothing else; skipped where none can be made. What Python
is asked to connect to or to look up is noted by an audit hook in every process; what libraries in C attempt, by the
kernel, which counts each packet that finds no route, and by the empty home, where they would keep what they collect.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tympan.client.known_recording import known_recording

WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        asked = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        asked = arguments
    else:
        return
    if isinstance(asked, tuple):  # a socket of the file system has a path
        with open(os.environ["WATCHED"], "a") as file:
            print(asked[0], file=file)

sys.addaudithook(watch)
"""

MACHINE = """
import fcntl, socket, struct, subprocess, sys, time

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:  # up, as on any machine
    fcntl.ioctl(device, 0x8914, struct.pack("16sH14x", b"lo", 1))
tympan = [sys.executable, "-m", "tympan"]
serve = [*tympan, "serve", "--port", "0", "--api-key", "a-key"]
with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as server:
    told = []
    for line in server.stderr:
        told.append(line)
        if line.startswith("Listening on "):
            break
    url = line.split()[-1]
    client = [*tympan, "transcribe", sys.argv[1], "--url", url, "--api-key", "a-key"]
    print(subprocess.run(client, stdout=subprocess.PIPE, text=True, check=True).stdout)
    time.sleep(12)  # ONNX Runtime gathers for 9 s before it first sends
    server.terminate()
    print("".join(told), file=sys.stderr)
names, counts = (line.split() for line in open("/proc/net/snmp") if line.startswith("Ip:"))
print("packets without a route:", dict(zip(names, counts))["OutNoRoutes"])
sys.exit(server.returncode)
"""

SILENCES = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME")
"""With these some libraries call nobody, or keep nothing at home, whatever they are told: users don't have them."""


@pytest.fixture
def machine() -> list[str]:
    """The beginning of a command that runs on such a machine."""
    unshare = shutil.which("unshare")
    command = [str(unshare), "--map-root-user", "--net"]
    if unshare is None or subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no network namespace can be made here")
    return command


def test_without_a_network_speech_is_transcribed_and_nobody_is_called(machine: list[str], tmp_path: Path) -> None:
    recording = known_recording()
    if recording is None:
        pytest.skip("the package with the model and the recording is not installed")
    speech = tmp_path / "speech.wav"
    with wave.open(str(recording)) as whole, wave.open(str(speech), "wb") as beginning:
        beginning.setparams(whole.getparams())
        beginning.writeframes(whole.readframes(6 * whole.getframerate()))
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    watched = tmp_path / "watched"
    home = tmp_path / "home"
    home.mkdir()
    variables = {"PYTHONPATH": str(tmp_path), "WATCHED": str(watched), "HOME": str(home)}
    variables["TYMPAN_CACHE_DIR"] = str(tmp_path / "cache")
    done = subprocess.run(
        [*machine, sys.executable, "-c", MACHINE, str(speech)],
        env={name: value for name, value in os.environ.items() if name not in SILENCES} | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "It was the best of times" in done.stdout
    assert "converting model" in done.stderr
    assert set(watched.read_text().split()) == {"127.0.0.1"}
    assert "packets without a route: 0" in done.stdout
    assert list(home.rglob("*")) == []
