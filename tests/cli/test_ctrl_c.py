"""Ctrl+C at each phase, in real processes: what was heard is told, within 6 seconds, and a second one ends at once."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from command_line import MakeAudio
from v3_service import Service, running, turn

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

PROMISE_S = 6.0
AT_ONCE_S = 2.0
"""Not a promise, but far from the time that an unhurried end takes."""

_BYTES_PER_S = 32_000


class Pressed:
    """A command that was interrupted."""

    def __init__(self, process: subprocess.Popen[str], pressed_at_s: float) -> None:
        self.output, self.errors = process.communicate(timeout=30)
        self.took_s = time.monotonic() - pressed_at_s
        self.code = process.returncode
        print(f"{process.args}: {self.took_s:.2f} s", file=sys.stderr)


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


def press(process: subprocess.Popen[str], *, times: int = 1) -> Pressed:
    pressed_at_s = time.monotonic()
    for count in range(times):
        if count:
            time.sleep(0.3)  # a person's second press
            pressed_at_s = time.monotonic()
        process.send_signal(signal.SIGINT)
    return Pressed(process, pressed_at_s)


def wait_for(is_true: Callable[[], bool]) -> None:
    give_up_at_s = time.monotonic() + 20
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
        assert service.has_connection.wait(20)
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "", "")
    assert pressed.took_s < PROMISE_S


def test_in_silence_there_is_nothing_to_tell(speech: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.wav"
    with command("listen", "--engine", "scripted", "--input", speech, "--save-audio", saved) as process:
        wait_for(has_audio(saved, 0.2))
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "", "")
    assert pressed.took_s < PROMISE_S


def test_in_mid_sentence_the_last_turn_is_told(speech: Path, script: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.wav"
    engine = ["--engine", "scripted", "--model", script]
    with command("listen", *engine, "--input", speech, "--save-audio", saved) as process:
        wait_for(has_audio(saved, 2.45))
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "Book a table.\nThanks.\n", "")
    assert pressed.took_s < PROMISE_S


@pytest.mark.parametrize("words", ["listen --input", "transcribe"])
def test_a_service_that_never_finishes_is_given_up_and_what_was_heard_is_told(
    speech: Path, open_turn: Service, words: str
) -> None:
    with command(*words.split(), speech, "--url", open_turn.url, "--format", "text") as process:
        assert open_turn.has_spoken.wait(20)
        pressed = press(process)

    assert open_turn.has_terminate.is_set()
    assert (pressed.code, pressed.output) == (130, "half a\n")
    assert pressed.errors == "tympan: the last words did not come in time; what was heard before them is kept\n"
    assert pressed.took_s < PROMISE_S


def test_while_reconnecting_to_a_server_that_is_gone_it_ends_with_what_was_heard(speech: Path) -> None:
    heard = turn(0, "half", "a", is_end=False, is_formatted=False)
    with ExitStack() as stack:
        with running(Service(said_after_chunk={2: heard}, drops_after_chunks=3)) as service:
            process = stack.enter_context(command("listen", "--input", speech, "--url", service.url))
            assert service.has_spoken.wait(20)
            service.is_mute = True  # for whoever comes back before the server is gone
        assert process.stderr is not None
        assert "trying again in" in process.stderr.readline()
        pressed = press(process)

    assert (pressed.code, pressed.output) == (130, "half a\n")
    assert "Traceback" not in pressed.errors
    assert pressed.took_s < PROMISE_S


@pytest.mark.parametrize("words", ["listen --input", "transcribe"])
def test_a_second_one_ends_at_once(speech: Path, open_turn: Service, words: str) -> None:
    with command(*words.split(), speech, "--url", open_turn.url) as process:
        assert open_turn.has_spoken.wait(20)
        pressed = press(process, times=2)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "half a\n", "")
    assert pressed.took_s < AT_ONCE_S


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
    assert pressed.took_s < PROMISE_S


def test_transcribe_writes_what_it_has_heard(script: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.srt"
    with fed("transcribe", "--engine", "scripted", "--model", script, "-", "-o", target, "--format", "srt") as process:
        pressed = press(process)

    assert (pressed.code, pressed.output, pressed.errors) == (130, "", "")
    assert target.read_text() == "1\n00:00:00,200 --> 00:00:01,200\nBook a table.\n\n"
    assert pressed.took_s < PROMISE_S
