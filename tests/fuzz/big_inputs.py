"""Brings very large inputs to every door, under a limit to memory and to the processor's time: run as a program.

What comes in is bounded before most doors (messages, headers, bodies). Here it isn't, so that a decoder whose memory or
time grows faster than its input shows. Prints the door at which a limit was reached, and exits with 1.
"""

from __future__ import annotations

import faulthandler
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from door import Door
from doors import DOORS

MEMORY_BYTES = 600 * 2**20
"""Above what the imported packages take. Parsed JSON takes some forty times its text."""

DOOR_S = 60
"""Processor time for all inputs of a door; the slowest takes a tenth of it. Slow doors get a tenth of the size."""

_REPEATED = (
    b"[",
    b'{"a":',
    b'{"a":[',
    b"a",
    b"9",
    b"\0",
    b"\xff",
    b"&a=b",
    b"a.",
    b"-",
    b"(",
    b"\n",
    b'"',
    b"\\",
    b"# ",
)


class OutOfTime(BaseException):
    """A door took more than its share."""


def inputs(door: Door, byte_count: int) -> Iterator[bytes]:
    for piece in _REPEATED:
        yield piece * (byte_count // len(piece))
        yield door.seeds[0] + piece * (byte_count // len(piece))
    for seed in door.seeds:
        yield seed * (byte_count // len(seed))
        yield (seed + b"\n") * (byte_count // len(seed))


def main(byte_count: int) -> int:
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY_BYTES, resource.RLIM_INFINITY))
    signal.signal(signal.SIGVTALRM, _give_up)
    failed = []
    for door in DOORS:
        signal.setitimer(signal.ITIMER_VIRTUAL, DOOR_S)
        try:
            for data in inputs(door, byte_count // 10 if door.is_slow else byte_count):
                with TemporaryDirectory() as folder:
                    door.offer(data, Path(folder))
        except (MemoryError, OutOfTime) as limit:
            failed.append(f"{door.name}: {type(limit).__name__} at {data[:20]!r}… ({len(data):,} bytes)")
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    print("\n".join(failed) or f"{len(DOORS)} doors stand {byte_count:,} bytes")
    return 1 if failed else 0


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _give_up(_signal: int, _frame: FrameType | None) -> None:
    raise OutOfTime


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
