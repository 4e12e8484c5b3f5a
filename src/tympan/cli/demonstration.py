"""What `tympan demo` does: a real server process, a real WebSocket, a recording at the pace of a microphone."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from tympan.client.aio import Session, connect
from tympan.client.errors import NetworkError, ServerError
from tympan.client.known_recording import known_recording
from tympan.client.sources import AudioFile, Pacing, open_audio, pcm_chunks
from tympan.core.audio import AudioFormat
from tympan.core.errors import ModelError
from tympan.core.units import Monotonic
from tympan.wire.v3.messages import Turn

_LISTENING = "Listening on "
_START_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 10
_LINE_WIDTH = 100  # at most; a narrower terminal would break the line, and only its last part would be cleared


@dataclass(slots=True)
class Summary:
    """What was measured on the way. Delays are against the word's own end, on the microphone's clock."""

    audio_s: float = 0.0
    turn_count: int = 0
    word_count: int = 0
    shown_delays_s: list[float] = field(default_factory=list)
    final_delays_s: list[float] = field(default_factory=list)
    server_cpu_s: float | None = None

    def lines(self) -> list[str]:
        lines = [f"{self.word_count} words in {self.turn_count} turns, {self.audio_s:.0f} s of audio"]
        for name, delays in (("first shown", self.shown_delays_s), ("final", self.final_delays_s)):
            if len(delays) > 1:
                cuts = quantiles(delays, n=20)
                lines.append(f"words {name} {cuts[9]:.2f} s after their end (median), {cuts[18]:.2f} s (95 %)")
        if self.server_cpu_s is not None and self.audio_s:
            share = self.server_cpu_s / self.audio_s
            lines.append(f"server: {self.server_cpu_s:.1f} s of CPU with start-up, {share:.0%} of one core")
        return lines


async def demonstrate(*, is_terminal: bool) -> Summary:
    """Run the demonstration and say what was measured.

    Raises:
        ModelError: the recording or the model is missing.
        ClientError: the server didn't start, or the session failed.
    """
    summary = Summary()
    key = secrets.token_urlsafe(24)
    with open_audio(_recording()) as audio:
        async with _server(key, summary) as url:
            parameters = {"sample_rate": audio.sample_rate_hz, "format_turns": True}
            async with connect(url, api_key=key, parameters=parameters) as session:
                print(f"Session {session.begin.id} at {url}: the recording plays now", file=sys.stderr)
                await _converse(session, audio, Captions(is_terminal), summary)
    return summary


def _recording() -> Path:
    path = known_recording()
    if path is None:
        raise ModelError(
            "the recording comes with the package moonshine-voice 0.1.0, which isn't installed; "
            'install it with: pip install "tympan[server]"'
        )
    return path


@asynccontextmanager
async def _server(key: str, summary: Summary) -> AsyncIterator[str]:
    """A server process on a free port; its address. It is stopped on every path."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tympan", "serve", "--port", "0",
        env=os.environ | {"TYMPAN_API_KEYS": key},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            url = await _address(process)
        yield url
    except TimeoutError as error:
        raise NetworkError(f"the server was not ready within {_START_TIMEOUT_S} s") from error
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()
        summary.server_cpu_s = _children_cpu_s()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Read the server's messages until it says where it listens."""
    assert process.stderr is not None  # it was asked for
    told: list[str] = []
    while line := (await process.stderr.readline()).decode(errors="replace").strip():
        if line.startswith(_LISTENING):
            return line.removeprefix(_LISTENING)
        told.append(line)
    raise ServerError(f"the server did not start: {told[-1] if told else 'it said nothing'}")


async def _converse(session: Session, audio: AudioFile, captions: Captions, summary: Summary) -> None:
    started = Monotonic(time.monotonic())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_play(session, audio, started, summary))
        async for message in session:
            if isinstance(message, Turn):
                _measure(message, time.monotonic() - started, summary, captions)
                captions.show(message)


async def _play(session: Session, audio: AudioFile, started: Monotonic, summary: Summary) -> None:
    """Send each chunk when a microphone would have it: when its last sample has been spoken."""
    pacing = Pacing(started)
    audio_format = AudioFormat(sample_rate_hz=audio.sample_rate_hz)
    byte_count = 0
    for chunk in pcm_chunks(audio):
        byte_count += len(chunk)
        summary.audio_s = audio_format.duration_ms(byte_count) / 1000
        await asyncio.sleep(pacing.delay_s(summary.audio_s * 1000, Monotonic(time.monotonic())))
        await session.send_audio(chunk)
    await session.terminate()


def _measure(turn: Turn, now_s: float, summary: Summary, captions: Captions) -> None:
    if turn.end_of_turn and turn.turn_is_formatted:
        summary.turn_count += 1
        summary.word_count += len(turn.words)
        return
    for index, word in enumerate(turn.words):
        delay_s = now_s - word.end / 1000
        if captions.is_new(turn.turn_order, index, word.text):
            summary.shown_delays_s.append(delay_s)
        if word.word_is_final and captions.is_newly_final(turn.turn_order, index):
            summary.final_delays_s.append(delay_s)


class Captions:
    """Partials in place on a terminal, line by line elsewhere; formatted turns on standard output."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._seen: set[tuple[int, int, str]] = set()
        self._final: set[tuple[int, int]] = set()
        self._last = ""

    def is_new(self, turn_order: int, index: int, text: str) -> bool:
        key = (turn_order, index, text)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def is_newly_final(self, turn_order: int, index: int) -> bool:
        key = (turn_order, index)
        is_new = key not in self._final
        self._final.add(key)
        return is_new

    def show(self, turn: Turn) -> None:
        if turn.end_of_turn:
            if turn.turn_is_formatted and turn.words:
                self._clear()
                start_s, end_s = turn.words[0].start / 1000, turn.words[-1].end / 1000
                print(f"[{start_s:6.2f} - {end_s:6.2f}] {turn.transcript}", flush=True)
            return
        width = max(10, min(_LINE_WIDTH, shutil.get_terminal_size().columns - 3))
        text = " ".join(word.text for word in turn.words)[-width:]
        if self._is_terminal:
            print(f"\r\033[K  {text}", end="", file=sys.stderr, flush=True)
        elif turn.transcript != self._last:
            self._last = turn.transcript
            print(f"  ... {text}", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _children_cpu_s() -> float | None:
    """CPU of child processes that have ended; None where the operating system doesn't tell."""
    try:
        import resource  # noqa: PLC0415  (not on Windows)
    except ImportError:
        return None
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
