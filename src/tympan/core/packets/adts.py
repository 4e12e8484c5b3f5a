"""AAC with ADTS headers → packets (ISO/IEC 14496-3, 1.A.3.2). PURE: standard library only.

Rules:
- A packet is an ADTS frame with its header, given as soon as its last byte has come.
- Where no header is, the next one is looked for. It counts once another stands where its frame ends, and so does one
  that says something new.
- The first packet of a stream carries half a window, and encoders fill it with silence: it is decoded, not heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tympan.core.errors import BadAudio
from tympan.core.packets.damage import Damage
from tympan.core.packets.foreign import HEAD_BYTES, check_not_foreign
from tympan.core.packets.packet import Packet

FRAME_SAMPLES = 1_024
MAX_DAMAGE_BYTES = 16_384
"""Twice the longest frame."""

HEADER_BYTES = 7
_RATES_HZ = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_SYNC = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_EXPECTED = "AAC with ADTS headers (encoding=aac)"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What doesn't change within a stream."""

    profile: int
    rate_hz: int
    channels: int
    blocks: int


@dataclass(frozen=True, slots=True)
class _Header:
    kind: _Kind
    frame_bytes: int


class AdtsFramer:
    """One session's audio, cut anywhere."""

    def __init__(self) -> None:
        self._damage = Damage(MAX_DAMAGE_BYTES, _EXPECTED)
        self._waiting = bytearray()
        self._has_begun = False
        self._is_found = True  # the bytes that wait begin with a frame
        self._kind: _Kind | None = None

    def receive(self, payload: bytes) -> Iterator[Packet]:
        """The packets that the bytes complete.

        Raises:
            BadAudio: it is no AAC with ADTS headers, or not mono or stereo.
        """
        self._waiting += payload
        if not self._has_begun:
            if len(self._waiting) < HEAD_BYTES:
                return
            check_not_foreign(self._waiting, expected=_EXPECTED)
            self._has_begun = True
        while len(self._waiting) >= HEADER_BYTES:
            header = _read(self._waiting, 0)
            if header is None:
                self._search()
                continue
            is_certain = self._is_found and self._kind in (None, header.kind)
            if len(self._waiting) < header.frame_bytes + (0 if is_certain else HEADER_BYTES):
                return
            if not is_certain and not _is_followed(self._waiting, header):
                self._search()
                continue
            frame = bytes(self._waiting[: header.frame_bytes])
            del self._waiting[: header.frame_bytes]
            self._is_found = True
            self._damage.find_audio(len(frame))
            yield self._packet(frame, header)

    def _search(self) -> None:
        """Pass over what waits, up to where a frame may begin."""
        match = _SYNC.search(self._waiting, 1)
        passed = len(self._waiting) - self._waiting.endswith(b"\xff") if match is None else match.start()
        del self._waiting[:passed]
        self._is_found = False
        self._damage.pass_over(passed)

    def _packet(self, frame: bytes, header: _Header) -> Packet:
        kind = header.kind
        if kind.channels not in (1, 2):
            raise BadAudio(f"expected mono or stereo AAC, got channel configuration {kind.channels}")
        if kind.blocks > 1:
            raise BadAudio(f"expected one block of AAC in each ADTS frame, got {kind.blocks}")
        is_first = kind != self._kind
        self._kind = kind
        return Packet(frame, FRAME_SAMPLES, kind.rate_hz, FRAME_SAMPLES if is_first else 0, is_first=is_first)


def _read(data: bytearray, at: int) -> _Header | None:
    """The header that begins there; None when there is none. All of its bytes have come."""
    if _SYNC.match(data, at) is None:
        return None
    rate_index = data[at + 2] >> 2 & 0xF
    frame_bytes = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate_index >= len(_RATES_HZ) or frame_bytes <= HEADER_BYTES:
        return None
    channels = (data[at + 2] & 1) << 2 | data[at + 3] >> 6
    blocks = (data[at + 6] & 3) + 1
    return _Header(_Kind(data[at + 2] >> 6, _RATES_HZ[rate_index], channels, blocks), frame_bytes)


def _is_followed(data: bytearray, header: _Header) -> bool:
    following = _read(data, header.frame_bytes)
    return following is not None and following.kind == header.kind
