"""Ogg Opus → packets (RFC 7845). PURE: standard library only.

Rules:
- The first Opus stream is heard; whatever is multiplexed with it is passed over. One that begins after it has been
  heard goes on from there: streams may be joined end to end. Each costs a decoder, so their heads count as damage,
  which audio makes good.
- What the header has decoders skip, and what the last page says is beyond the end, is no audio.
- The audio is what came: a part that is missing leaves no gap, as with raw audio.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tympan.core.errors import BadAudio
from tympan.core.packets.damage import Damage
from tympan.core.packets.foreign import HEAD_BYTES, check_not_foreign
from tympan.core.packets.ogg import CAPTURE, OggPages, Page, Piece
from tympan.core.packets.opus import LONGEST_PACKET_BYTES, RATE_HZ, opus_samples
from tympan.core.packets.packet import Packet

MAX_DAMAGE_BYTES = 65_536
"""The longest page is 65,307 bytes."""

MAX_TAGS_BYTES = 1_048_576
"""Comments, a cover picture among them; nothing of them is kept."""

_PIECE_COST_BYTES = 32
"""What a piece counts for besides its length: there may be millions that have none."""

_HEAD = struct.Struct("<8sBBHIhB")
_HEAD_MAGIC = b"OpusHead"
_TAGS_MAGIC = b"OpusTags"
_GAIN_UNIT = 256
_OTHERS = {b"\x01vorbis": "Vorbis", b"\x7fFLAC": "FLAC", b"Speex   ": "Speex", b"\x80theora": "Theora"}
_EXPECTED = "an Ogg stream with Opus (encoding=ogg_opus)"


@dataclass(slots=True)
class _Stream:
    """A logical stream; positions count samples at 48 kHz."""

    page: Page  # the latest
    to_skip: int
    gain_db: float
    position: int = 0
    has_tags: bool = False
    has_audio: bool = False

    def turn_to(self, page: Page) -> bool:
        """A piece on that page came; whether the page is the same, or follows the one before."""
        is_next = page.number in (self.page.number, self.page.number + 1)
        if page is not self.page and self.has_audio and self.page.granule >= 0:
            self.position = self.page.granule
        self.page = page
        return is_next


class OggOpusFramer:
    """One session's audio."""

    def __init__(self) -> None:
        self._damage = Damage(MAX_DAMAGE_BYTES, _EXPECTED)
        self._pages = OggPages(self._damage)
        self._head = b""
        self._stream: _Stream | None = None
        self._others: list[str] = []  # what else began
        self._packet: bytearray | None = None  # its beginning; None: it is missing
        self._packet_bytes = 0

    def receive(self, payload: bytes) -> Iterator[Packet]:
        """The packets that the bytes complete.

        Raises:
            BadAudio: it is no Ogg Opus.
        """
        self._check_head(payload)
        for piece in self._pages.receive(payload):
            packet = self._take(piece)
            if packet is not None:
                yield packet

    def _check_head(self, payload: bytes) -> None:
        """A stream that doesn't begin as one isn't looked into for pages."""
        if len(self._head) >= HEAD_BYTES:
            return
        self._head = (self._head + payload)[:HEAD_BYTES]
        if self._head.startswith(CAPTURE[: len(self._head)]):
            return
        check_not_foreign(self._head, expected=_EXPECTED)
        raise BadAudio(f"expected {_EXPECTED}, which begins with '{CAPTURE.decode()}'; this begins with something else")

    def _take(self, piece: Piece) -> Packet | None:
        if piece.page.is_first:
            self._begin(piece)
            return None
        stream = self._stream
        if stream is None:
            found = " and ".join(self._others) or "a stream joined after its header"
            raise BadAudio(f"expected {_EXPECTED}, got Ogg with {found}")
        if piece.page.serial != stream.page.serial:
            self._pass_over(piece.payload)
            return None
        if not piece.is_continuation and not piece.payload.startswith(_TAGS_MAGIC):
            stream.has_tags = True  # or never will: some writers leave them out
        packet = self._assemble(piece, is_next=stream.turn_to(piece.page), is_kept=stream.has_tags)
        if packet is None:
            return None
        if not stream.has_tags:
            stream.has_tags = True
            return None
        return self._audio(stream, packet)

    def _begin(self, piece: Piece) -> None:
        is_wanted = self._stream is None or self._stream.has_audio
        if piece.payload.startswith(_HEAD_MAGIC):
            if self._stream is not None:
                self._pass_over(piece.payload)
            if is_wanted:
                self._stream = _read_head(piece)
                self._packet = None
        else:
            names = (name for magic, name in _OTHERS.items() if piece.payload.startswith(magic))
            self._others = [*self._others[:3], next(names, "another codec")]
            self._pass_over(piece.payload)

    def _assemble(self, piece: Piece, *, is_next: bool, is_kept: bool) -> bytes | None:
        """The packet that ends with the piece. Of one that isn't kept only the length is looked at."""
        if not piece.is_continuation:
            self._packet, self._packet_bytes = bytearray(), 0
        elif self._packet is None or not is_next:
            self._packet = None
            self._pass_over(piece.payload)
            return None
        self._packet_bytes += len(piece.payload)
        longest = LONGEST_PACKET_BYTES if is_kept else MAX_TAGS_BYTES
        if self._packet_bytes > longest:
            raise BadAudio(f"a packet of more than {longest:,} bytes {'of comments' * (not is_kept)}".rstrip())
        if is_kept:
            self._packet += piece.payload
        if not piece.is_end:
            return None
        packet, self._packet = bytes(self._packet), None
        return packet

    def _audio(self, stream: _Stream, payload: bytes) -> Packet | None:
        try:
            count = opus_samples(payload)
        except BadAudio:
            self._pass_over(payload)
            return None
        self._damage.find_audio(len(payload))
        stream.position += count
        skip = min(stream.to_skip, count)
        stream.to_skip -= skip
        is_cut = stream.page.is_last and stream.page.granule >= 0
        trim = min(count, max(0, stream.position - stream.page.granule)) if is_cut else 0
        is_first, stream.has_audio = not stream.has_audio, True
        return Packet(payload, count, RATE_HZ, skip, trim, stream.gain_db, is_first)

    def _pass_over(self, payload: bytes) -> None:
        self._damage.pass_over(len(payload) + _PIECE_COST_BYTES)


def _read_head(piece: Piece) -> _Stream:
    if len(piece.payload) < _HEAD.size or not piece.is_end:
        raise BadAudio("the Opus header is cut short")
    _, version, channels, skip, _, gain, family = _HEAD.unpack_from(piece.payload)
    if version >> 4:
        raise BadAudio(f"expected version 1 of the Opus header, got {version}")
    if family or channels not in (1, 2):
        raise BadAudio(f"expected one channel or two, got {channels} (mapping family {family})")
    return _Stream(piece.page, skip, gain / _GAIN_UNIT)
