"""Raw Opus: one packet a message, and how long it lasts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressed_streams import ogg_headers, opus_packet
from tympan.core.errors import BadAudio
from tympan.core.packets.opus import OpusFramer, opus_samples


def toc(configuration: int, code: int) -> bytes:
    return bytes([configuration << 3 | code])


@pytest.mark.parametrize(
    ("packet", "ms"),
    [
        (toc(0, 0), 10),
        (toc(3, 0), 60),
        (toc(11, 0), 60),
        (toc(12, 0), 10),
        (toc(15, 0), 20),
        (toc(16, 0), 2.5),
        (toc(31, 0), 20),
        (toc(31, 1), 40),
        (toc(31, 2), 40),
        (toc(31, 3) + b"\x01", 20),
        (toc(31, 3) + b"\x06", 120),
        (toc(16, 3) + b"\xf0", 120),
        (toc(3, 1), 120),
    ],
)
def test_the_first_bytes_of_a_packet_say_how_long_it_lasts(packet: bytes, ms: float) -> None:
    assert opus_samples(packet) == ms * 48


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        toc(31, 3),
        toc(31, 3) + b"\x00",
        toc(31, 3) + b"\x07",
        toc(16, 3) + b"\x31",
        toc(3, 3) + b"\x03",
        bytes(61_299),
    ],
    ids=["empty", "no count", "no frames", "140 ms", "122.5 ms", "180 ms", "too many bytes"],
)
def test_what_no_packet_can_begin_with_is_refused(packet: bytes) -> None:
    with pytest.raises(BadAudio, match="Opus packet"):
        opus_samples(packet)


@given(st.binary(min_size=1, max_size=100))
def test_any_bytes_last_from_two_and_a_half_to_120_ms_or_are_refused(packet: bytes) -> None:
    try:
        count = opus_samples(packet)
    except BadAudio:
        return
    assert 120 <= count <= 5_760


def test_each_message_is_a_packet_and_only_the_first_begins_a_stream() -> None:
    framer = OpusFramer()
    first, second = ([*framer.receive(opus_packet(mark))] for mark in (1, 2))

    assert [(packet.payload, packet.kept_count, packet.is_first) for packet in first + second] == [
        (opus_packet(1), 960, True),
        (opus_packet(2), 960, False),
    ]


def test_an_empty_message_is_no_packet() -> None:
    assert [*OpusFramer().receive(b"")] == []


def test_a_container_is_called_by_its_name() -> None:
    with pytest.raises(BadAudio, match="expected one Opus packet in each message, got Ogg"):
        [*OpusFramer().receive(ogg_headers())]
    with pytest.raises(BadAudio, match="got WebM or Matroska"):
        [*OpusFramer().receive(b"\x1aE\xdf\xa3" + bytes(100))]


def test_later_packets_may_look_like_anything() -> None:
    framer = OpusFramer()
    [*framer.receive(opus_packet())]

    assert len([*framer.receive(b"RIFF" + bytes(20))]) == 1
