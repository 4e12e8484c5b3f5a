"""How long an Opus packet lasts (RFC 6716, section 3). PURE: standard library only."""

from __future__ import annotations

from collections.abc import Iterator

from tympan.core.errors import BadAudio
from tympan.core.packets.foreign import check_not_foreign
from tympan.core.packets.packet import Packet

RATE_HZ = 48_000
"""Every Opus decoder can give this rate, whatever the encoder heard."""

LONGEST_PACKET_BYTES = 61_298
"""48 frames of 1,275 bytes, their lengths, and the two bytes before them."""

_LONGEST_PACKET_SAMPLES = 5_760
_COUNT_MASK = 0x3F
_SILK = (480, 960, 1_920, 2_880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)
_FRAME_SAMPLES = (*_SILK * 3, *_HYBRID * 2, *_CELT * 4)
"""By configuration number: 10 to 60 ms, 10 and 20 ms, 2.5 to 20 ms (table 2)."""


def opus_samples(packet: bytes) -> int:
    """Samples at 48 kHz that the packet decodes to: 2.5 to 120 ms.

    Raises:
        BadAudio: no Opus packet begins like this.
    """
    code = packet[0] & 3 if packet else 3
    if code == 3 and len(packet) < 2:
        raise BadAudio("an Opus packet that says in its second byte how many frames it has must have one")
    frames = (1, 2, 2)[code] if code < 3 else packet[1] & _COUNT_MASK
    count = frames * _FRAME_SAMPLES[packet[0] >> 3]
    if not 0 < count <= _LONGEST_PACKET_SAMPLES or len(packet) > LONGEST_PACKET_BYTES:
        raise BadAudio(
            f"{len(packet)} bytes that say to last {count * 1000 / RATE_HZ:g} ms are no Opus packet, "
            "which lasts up to 120 ms; send one packet in each message, without a container"
        )
    return count


class OpusFramer:
    """Each message is a packet. The encoder's delay is unknown without a header, so nothing is skipped."""

    def __init__(self) -> None:
        self._has_begun = False

    def receive(self, payload: bytes) -> Iterator[Packet]:
        """The packet; none in an empty message.

        Raises:
            BadAudio: it is none.
        """
        if not payload:
            return
        if not self._has_begun:
            check_not_foreign(payload, expected="one Opus packet in each message")
        packet = Packet(payload, opus_samples(payload), RATE_HZ, is_first=not self._has_begun)
        self._has_begun = True
        yield packet
