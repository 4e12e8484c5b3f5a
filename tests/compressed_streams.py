"""Compressed streams, built by hand: what a container says is right, what a decoder would hear is nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

CONTINUED, FIRST, LAST = 1, 2, 4
TAGS = b"OpusTags" + bytes(8)
_RATES_HZ = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)


def opus_packet(mark: int = 0, size: int = 40) -> bytes:
    """20 ms of full-band audio, told apart by a byte."""
    return bytes([31 << 3, mark]) + bytes(size - 2)


def opus_head(*, skip: int = 312, channels: int = 1, gain: int = 0, version: int = 1, family: int = 0) -> bytes:
    """The header of an Opus stream; `gain` in 256ths of a decibel."""
    return struct.pack("<8sBBHIhB", b"OpusHead", version, channels, skip, 48_000, gain, family)


def ogg_page(
    packets: Iterable[bytes], *, number: int, granule: int = 0, flags: int = 0, serial: int = 7, is_open: bool = False
) -> bytes:
    """A page; `is_open`: its last packet, a multiple of 255 bytes, goes on in the next one."""
    table = bytearray()
    body = bytearray()
    for packet in packets:
        body += packet
        table += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    if is_open:
        assert table.pop() == 0
    return struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, number, 0, len(table)) + table + body


def ogg_headers(*, serial: int = 7, head: bytes | None = None) -> bytes:
    """How a stream begins."""
    first = ogg_page([opus_head() if head is None else head], number=0, flags=FIRST, serial=serial)
    return first + ogg_page([TAGS], number=1, serial=serial)


def ogg_stream(packets: list[bytes], *, per_page: int = 5, serial: int = 7, head: bytes | None = None) -> bytes:
    """A whole stream of packets of 20 ms."""
    pages = [ogg_headers(serial=serial, head=head)]
    for number, at in enumerate(range(0, len(packets), per_page), start=2):
        end = min(at + per_page, len(packets))
        flags = LAST if end == len(packets) else 0
        pages.append(ogg_page(packets[at:end], number=number, granule=end * 960, flags=flags, serial=serial))
    return b"".join(pages)


def adts_frame(
    mark: int = 0, *, size: int = 60, rate_hz: int = 16_000, channels: int = 1, blocks: int = 1, has_sum: bool = False
) -> bytes:
    """1,024 samples, told apart by a byte."""
    rate = _RATES_HZ.index(rate_hz)
    header = [
        0xFF,
        0xF0 if has_sum else 0xF1,
        1 << 6 | rate << 2 | channels >> 2,
        (channels & 3) << 6 | size >> 11,
        size >> 3 & 0xFF,
        (size & 7) << 5 | 0x1F,
        0xFC | blocks - 1,
        mark,
    ]
    return bytes(header) + bytes(size - len(header))


def cut(stream: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The stream in pieces of those sizes, again and again."""
    at = number = 0
    while at < len(stream):
        size = sizes[number % len(sizes)]
        yield stream[at : at + size]
        at, number = at + size, number + 1
