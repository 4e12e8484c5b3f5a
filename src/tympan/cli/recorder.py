"""Audio as it is captured → a WAV file, valid after each chunk. Shell: writes."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tympan.cli.errors import OutputError


@contextmanager
def open_recorder(target: Path | None, sample_rate_hz: int) -> Iterator[Callable[[bytes], None]]:
    """What takes chunks of mono PCM16; without a target they go nowhere.

    Raises:
        OutputError: the file can't be written, now or later.
    """
    if target is None:
        yield lambda chunk: None
        return
    with _told(target):
        file = wave.open(str(target), "wb")  # noqa: SIM115  (closed below, with its errors told)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)

    def record(chunk: bytes) -> None:
        with _told(target):
            file.writeframes(chunk)  # corrects the length in the header each time

    try:
        yield record
    finally:
        with _told(target):
            file.close()


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
