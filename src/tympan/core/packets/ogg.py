"""Ogg pages → pieces of packets (RFC 3533). PURE: standard library only.

Rules:
- A piece is given as soon as its last byte has come: a page may hold a second of audio.
- So the checksum, which is over the whole page, isn't looked at: the connection has checked the bytes already. What it
  guards against otherwise, a part of the stream that is missing, shows in the next page: it isn't where it should be.
- Then the next page is looked for, by the four bytes that begin one, and its number tells that pieces are missing.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from tympan.core.packets.damage import Damage

CAPTURE = b"OggS"
_HEADER = struct.Struct("<4sBBqIIIB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_FULL_SEGMENT = 255


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of itself; `granule` is the position at its end, -1 when no packet ends on it."""

    flags: int
    granule: int
    serial: int
    number: int

    @property
    def is_first(self) -> bool:
        """Of its logical stream."""
        return bool(self.flags & _FIRST)

    @property
    def is_last(self) -> bool:
        """Of its logical stream."""
        return bool(self.flags & _LAST)


@dataclass(frozen=True, slots=True)
class Piece:
    """A packet, or the part of one that is on one page."""

    page: Page
    payload: bytes
    is_continuation: bool
    is_end: bool


class OggPages:
    """One byte stream, cut anywhere."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._waiting = bytearray()
        self._page = Page(0, 0, 0, 0)
        self._pieces: deque[tuple[int, bool]] = deque()  # of the page, to come: length, and whether the packet ends
        self._is_continued = False  # what comes next continues the packet before the page

    def receive(self, payload: bytes) -> Iterator[Piece]:
        """The pieces that the bytes complete.

        Raises:
            BadAudio: there are no pages.
        """
        self._waiting += payload
        while self._pieces or self._open_page():
            length, is_end = self._pieces[0]
            if len(self._waiting) < length:
                return
            self._pieces.popleft()
            piece = Piece(self._page, bytes(self._waiting[:length]), self._is_continued, is_end)
            self._is_continued = False
            del self._waiting[:length]
            yield piece

    def _open_page(self) -> bool:
        """Whether the head of a page with pieces has come; it is taken away."""
        while self._find_page():
            _, _, flags, granule, serial, number, _, count = _HEADER.unpack_from(self._waiting)
            end = _HEADER.size + count
            if len(self._waiting) < end:
                return False
            self._page = Page(flags, granule, serial, number)
            self._is_continued = bool(flags & _CONTINUED)
            self._pieces.extend(_pieces(self._waiting[_HEADER.size : end]))
            del self._waiting[:end]
            if self._pieces:
                return True
            self._damage.pass_over(end)
        return False

    def _find_page(self) -> bool:
        """Go to where a page begins; whether all of its head but the table has come."""
        waiting = self._waiting
        if not waiting.startswith(CAPTURE[: len(waiting)]):
            at = waiting.find(CAPTURE)
            passed = at if at >= 0 else len(waiting) - _beginning_at_end(waiting)
            del waiting[:passed]
            self._damage.pass_over(passed)
        return len(waiting) >= _HEADER.size


def _pieces(table: bytearray) -> Iterator[tuple[int, bool]]:
    """Segments of 255 bytes go on in the next one."""
    length = 0
    for segment in table:
        length += segment
        if segment < _FULL_SEGMENT:
            yield length, True
            length = 0
    if length:
        yield length, False


def _beginning_at_end(waiting: bytearray) -> int:
    """How many bytes at the end may begin a page."""
    return next((n for n in range(len(CAPTURE) - 1, 0, -1) if waiting.endswith(CAPTURE[:n])), 0)
