"""Ctrl+C at each phase, in real processes: what was heard is told, and a second one ends at once.

How long it takes at most is told by the clock of an event loop, which counts no time that a busy machine takes.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from command_line import MakeAudio
from v3_service import Service, running, turn

from tympan.cli.converse import converse
from tympan.cli.interrupts import Interrupts
from tympan.cli.transcript import SpokenTurn
from tympan.client import Event, Turn, connect
from tympan.core.units import StreamMs
from tympan.wire.v3.messages import ServerMessage
from unhurried_loop import run_unhurried

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

PROMISE_S = 6.0
PATIENCE_S = 60
_BYTES_PER_S = 32_000

AS_SPOKEN = ["listen --input", "transcribe --realtime"]
"""Little is on its way then: a service that is slow still reads up to Terminate while its last words are awaited."""


class Pressed:
    """A command that was interrupted."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.output, self.errors = process.communicate(timeout=PATIENCE_S)
        self.code = process.returncode


@contextmanager
def command(*arguments: object, stdin: int | None = None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tympan", *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()


def press(process: subprocess.Popen[str]) -> Pressed:
    process.send_signal(signal.SIGINT)
    return Pressed(process)


def wait_for(is_true: Callable[[], bool]) -> None:
    give_up_at_s = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < give_up_at_s
        time.sleep(0.01)


def has_audio(saved: Path, seconds: float) -> Callable[[], bool]:
    return lambda: saved.exists() and saved.stat().st_size >= 44 + seconds * _BYTES_PER_S


@pytest.fixture
def speech(audio_file: MakeAudio) -> Path:
    return audio_file(seconds=60)


@pytest.fixture
def open_turn() -> Iterator[Service]:
    """A service that hears half a sentence and never finishes it."""
    heard = turn(0, "half", "a", is_end=False, is_formatted=False)
    with running(Service(answer=(), said_after_chunk={2: heard})) as service:
        yield service


@pytest.mark.parametrize("words", ["listen --input", "transcribe"])
def test_while_connecting_it_ends_at_once(speech: Path, words: str) -> None:
    with running(Service(is_mute=True)) as service, command(*words.split(), speech, "--url", service.url) as process:
        assert service.has_connection.wait(PATIENCE_S)
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "", "")


def test_in_silence_there_is_nothing_to_tell(speech: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.wav"
    with command("listen", "--engine", "scripted", "--input", speech, "--save-audio", saved) as process:
        wait_for(has_audio(saved, 0.2))
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "", "")


def test_in_mid_sentence_the_last_turn_is_told(speech: Path, script: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.wav"
    engine = ["--engine", "scripted", "--model", script]
    with command("listen", *engine, "--input", speech, "--save-audio", saved) as process:
        wait_for(has_audio(saved, 2.45))
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "Book a table.\nThanks.\n", "")


@pytest.mark.parametrize("words", AS_SPOKEN)
def test_a_service_that_never_finishes_is_given_up_and_what_was_heard_is_told(
    speech: Path, open_turn: Service, words: str
) -> None:
    with command(*words.split(), speech, "--url", open_turn.url, "--format", "text") as process:
        assert open_turn.has_spoken.wait(PATIENCE_S)
        pressed = press(process)

    assert open_turn.has_terminate.wait(PATIENCE_S)
    assert (pressed.code, pressed.output) == (130, "half a\n")
    assert pressed.errors == "tympan: the last words did not come in time; what was heard before them is kept\n"


def test_while_reconnecting_to_a_server_that_is_gone_it_ends_with_what_was_heard(speech: Path) -> None:
    heard = turn(0, "half", "a", is_end=False, is_formatted=False)
    with ExitStack() as stack:
        with running(Service(said_after_chunk={2: heard}, drops_after_chunks=3)) as service:
            process = stack.enter_context(command("listen", "--input", speech, "--url", service.url))
            assert service.has_spoken.wait(PATIENCE_S)
            service.is_mute = True  # for whoever comes back before the server is gone
        assert process.stderr is not None
        assert "trying again in" in process.stderr.readline()
        pressed = press(process)

    assert (pressed.code, pressed.output) == (130, "half a\n")
    assert "Traceback" not in pressed.errors


@pytest.mark.parametrize("words", AS_SPOKEN)
def test_a_second_one_ends_at_once(speech: Path, open_turn: Service, words: str) -> None:
    with command(*words.split(), speech, "--url", open_turn.url) as process:
        assert open_turn.has_spoken.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        assert open_turn.has_terminate.wait(PATIENCE_S)
        pressed = press(process)

    assert (pressed.code, pressed.output) == (130, "half a\n")
    assert pressed.errors == "", "it didn't wait until the last words were given up"


@contextmanager
def fed(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A command that has heard two seconds of audio from a pipe to which nobody writes any more."""
    reading, writing = os.pipe()
    try:
        with command(*arguments, stdin=reading) as process:
            for seconds in (2.0, 0.1):  # what comes next is read when all before it is on its way
                os.write(writing, bytes(int(seconds * _BYTES_PER_S)))
                wait_for(lambda: not select.select([reading], [], [], 0)[0])
            yield process
    finally:
        os.close(reading)
        os.close(writing)


def test_a_silent_pipe_is_no_obstacle(script: Path) -> None:
    with fed("listen", "--engine", "scripted", "--model", script, "--input", "-") as process:
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "Book a table.\n", "")


def test_transcribe_writes_what_it_has_heard(script: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.srt"
    with fed("transcribe", "--engine", "scripted", "--model", script, "-", "-o", target, "--format", "srt") as process:
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "", "")
    assert target.read_text() == "1\n00:00:00,200 --> 00:00:01,200\nBook a table.\n\n"


class Room:
    """Silence, as fast as time passes."""

    sample_rate_hz = 16_000
    _is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._is_closed:
            yield bytes(_BYTES_PER_S // 20)
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        self._is_closed = True


class Impatient:
    """Presses Ctrl+C at the first words."""

    def __init__(self) -> None:
        self.settled_turns: list[str] = []
        self.has_given_up = False
        self.pressed_at_s: float | None = None

    def told(self, event: Event | ServerMessage, open_turn: Turn | None) -> None:
        if self.pressed_at_s is None:
            self.pressed_at_s = asyncio.get_running_loop().time()
            os.kill(os.getpid(), signal.SIGINT)

    def settled(self, turn: SpokenTurn) -> None:
        self.settled_turns.append(turn.text)

    def gave_up(self) -> None:
        self.has_given_up = True

    def began(self) -> None: ...
    def captured(self, chunk: bytes, until_ms: StreamMs) -> None: ...
    def finishing(self) -> None: ...


def test_a_service_that_never_finishes_is_given_up_within_6_seconds(open_turn: Service) -> None:
    watcher = Impatient()

    async def talk() -> float:
        with Interrupts() as interrupts:
            await converse(connect(open_turn.url), Room(), watcher, interrupts)
        assert watcher.pressed_at_s is not None
        return asyncio.get_running_loop().time() - watcher.pressed_at_s

    took_s = run_unhurried(talk())

    assert (watcher.settled_turns, watcher.has_given_up) == (["half a"], True)
    assert took_s < PROMISE_S
