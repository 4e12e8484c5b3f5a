"""A stand-in for `pyaudio`: a microphone that hears a recording, then a quiet room, at the pace of a clock.

It has what the programs of the corpus use, with the names of the original. `MICROPHONE_WAV` is the recording.
A device is late, never early: `read` returns when the last of its frames has been spoken.
"""

from __future__ import annotations

import os
import time
import wave
from typing import Any

paInt16 = 8  # noqa: N816 - the original's name
paContinue = 0  # noqa: N816


class Stream:
    """An open microphone. Reading a closed one is an error, as with the original."""

    def __init__(self, rate: int) -> None:
        self._recording = wave.open(os.environ["MICROPHONE_WAV"], "rb")  # noqa: SIM115 - open while the stream is
        if (self._recording.getframerate(), self._recording.getnchannels()) != (rate, 1):
            raise OSError(-9997, "Invalid sample rate")
        self._rate = rate
        self._read_frames = 0
        self._opened_at = time.monotonic()
        self._is_open = True

    def read(self, num_frames: int, exception_on_overflow: bool = True) -> bytes:
        if not self._is_open:
            raise OSError(-9988, "Stream closed")
        self._read_frames += num_frames
        time.sleep(max(0.0, self._opened_at + self._read_frames / self._rate - time.monotonic()))
        return self._recording.readframes(num_frames).ljust(2 * num_frames, b"\0")

    def start_stream(self) -> None:
        pass

    def stop_stream(self) -> None:
        pass

    def is_active(self) -> bool:
        return self._is_open

    def close(self) -> None:
        self._is_open = False
        self._recording.close()


class PyAudio:
    """The sound system."""

    def open(self, format: int, channels: int, rate: int, **options: Any) -> Stream:  # noqa: A002
        if format != paInt16 or channels != 1 or not options.get("input"):
            raise OSError(-9998, "Invalid number of channels")
        return Stream(rate)

    def terminate(self) -> None:
        pass
