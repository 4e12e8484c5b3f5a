"""Ogg Opus: every packet, at its time, however the stream is cut, joined, damaged or wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressed_streams import (
    CONTINUED,
    FIRST,
    LAST,
    TAGS,
    cut,
    ogg_headers,
    ogg_page,
    ogg_stream,
    opus_head,
    opus_packet,
)
from tympan.core.errors import BadAudio
from tympan.core.packets.ogg_opus import MAX_DAMAGE_BYTES, MAX_TAGS_BYTES, OggOpusFramer
from tympan.core.packets.packet import Packet

PACKETS = [opus_packet(mark, 40 + 37 * mark) for mark in range(12)]
STREAM = ogg_stream(PACKETS)


def framed(*messages: bytes) -> list[Packet]:
    framer = OggOpusFramer()
    return [packet for message in messages for packet in framer.receive(message)]


def payloads(*messages: bytes) -> list[bytes]:
    return [packet.payload for packet in framed(*messages)]


def test_every_packet_comes_and_what_the_encoder_put_before_the_audio_is_skipped() -> None:
    packets = framed(STREAM)

    assert [packet.payload for packet in packets] == PACKETS
    assert [packet.skip_count for packet in packets] == [312, *[0] * 11]
    assert sum(packet.kept_count for packet in packets) == 12 * 960 - 312
    assert [packet.is_first for packet in packets] == [True, *[False] * 11]


@given(st.lists(st.integers(1, 700), min_size=1, max_size=20))
def test_any_cut_gives_the_same_packets(sizes: list[int]) -> None:
    assert framed(*cut(STREAM, sizes)) == framed(STREAM)


def test_one_byte_a_message_gives_the_same_packets() -> None:
    assert framed(*cut(STREAM, [1])) == framed(STREAM)


def test_a_packet_comes_with_its_last_byte_not_with_its_page() -> None:
    framer = OggOpusFramer()
    page = ogg_page(PACKETS[:3], number=2, granule=2880)
    end_of_second = len(page) - len(PACKETS[2])

    [*framer.receive(ogg_headers())]
    assert len([*framer.receive(page[: end_of_second - 1])]) == 1
    assert len([*framer.receive(page[end_of_second - 1 : end_of_second])]) == 1


def test_what_is_skipped_may_be_longer_than_a_packet() -> None:
    packets = framed(ogg_stream(PACKETS, head=opus_head(skip=1_500)))

    assert [packet.kept_count for packet in packets[:3]] == [0, 420, 960]


def test_the_gain_of_the_header_is_passed_on_in_decibels() -> None:
    assert framed(ogg_stream(PACKETS, head=opus_head(gain=-384)))[0].gain_db == -1.5


def test_the_last_page_says_where_the_audio_ends() -> None:
    whole = [ogg_headers(), ogg_page(PACKETS[:2], number=2, granule=1_920)]
    last = ogg_page(PACKETS[2:5], number=3, granule=1_920 + 960 + 100, flags=LAST)

    assert [packet.trim_count for packet in framed(*whole, last)] == [0, 0, 0, 860, 960]


def test_a_stream_joined_in_its_middle_is_heard_to_its_last_packet() -> None:
    pages = [ogg_headers(), ogg_page(PACKETS[:2], number=2, granule=48_000_000)]
    last = ogg_page(PACKETS[2:4], number=3, granule=48_001_000, flags=LAST)

    assert [packet.trim_count for packet in framed(*pages, last)] == [0, 0, 0, 920]


def test_a_last_page_on_which_no_packet_ends_cuts_nothing() -> None:
    long = opus_packet(1, 510)
    pages = [
        ogg_headers(),
        ogg_page([long[:255]], number=2, granule=-1, is_open=True),
        ogg_page([long[255:], PACKETS[0]], number=3, granule=-1, flags=CONTINUED | LAST),
    ]

    assert [packet.trim_count for packet in framed(*pages)] == [0, 0]


def test_a_packet_may_go_on_over_pages() -> None:
    long = opus_packet(1, 800)
    pages = [
        ogg_headers(),
        ogg_page([PACKETS[0], long[:255]], number=2, granule=960, is_open=True),
        ogg_page([long[255:510]], number=3, granule=-1, flags=CONTINUED, is_open=True),
        ogg_page([long[510:], PACKETS[1]], number=4, granule=2_880, flags=CONTINUED),
    ]

    assert payloads(*pages) == [PACKETS[0], long, PACKETS[1]]


def test_of_a_packet_whose_beginning_is_missing_nothing_is_heard() -> None:
    long = opus_packet(1, 600)
    tail = ogg_page([long[255:], PACKETS[1]], number=9, flags=CONTINUED)

    assert payloads(ogg_headers(), tail) == [PACKETS[1]]


def test_halves_of_two_packets_are_not_joined_over_a_lost_page() -> None:
    long = opus_packet(1, 600)
    pages = [
        ogg_page([PACKETS[0], long[:255]], number=2, granule=960, is_open=True),
        ogg_page([long[255:], PACKETS[1]], number=4, flags=CONTINUED),
    ]

    assert payloads(ogg_headers(), *pages) == [PACKETS[0], PACKETS[1]]


def test_a_lost_piece_of_the_stream_costs_its_packets_alone() -> None:
    pages = [ogg_page(PACKETS[at : at + 4], number=2 + at // 4) for at in (0, 4, 8)]

    assert payloads(ogg_headers(), pages[0], pages[1][30:], pages[2]) == PACKETS[:4] + PACKETS[8:]


@pytest.mark.parametrize("junk", [b"junk", b"Ogg", b"OggOgg", b"O" * 500], ids=repr)
def test_what_stands_between_pages_is_passed_over(junk: bytes) -> None:
    pages = ogg_page(PACKETS[:2], number=2) + junk + ogg_page(PACKETS[2:4], number=3)

    assert payloads(ogg_headers() + pages) == PACKETS[:4]
    assert payloads(ogg_headers(), *cut(pages, [1])) == PACKETS[:4]


def test_streams_joined_end_to_end_are_heard_one_after_the_other() -> None:
    second = ogg_stream(PACKETS[:3], serial=8, head=opus_head(skip=100))
    packets = framed(STREAM + second)

    assert [packet.payload for packet in packets] == PACKETS + PACKETS[:3]
    assert [(packet.is_first, packet.skip_count) for packet in packets[12:]] == [(True, 100), (False, 0), (False, 0)]


def test_of_streams_side_by_side_the_first_is_heard() -> None:
    heads = [ogg_page([opus_head()], number=0, flags=FIRST, serial=serial) for serial in (1, 2)]
    tags = [ogg_page([TAGS], number=1, serial=serial) for serial in (1, 2)]
    pages = [ogg_page([PACKETS[serial]], number=2, serial=serial) for serial in (1, 2)]

    assert payloads(*heads, *tags, *pages) == [PACKETS[1]]


def test_a_picture_in_the_comments_is_passed_over() -> None:
    picture = TAGS + bytes(255 * 800 - len(TAGS))
    pages = [
        ogg_page([opus_head()], number=0, flags=FIRST),
        *(
            ogg_page([picture[at : at + 51_000]], number=1 + at // 51_000, flags=CONTINUED * (at > 0), is_open=True)
            for at in range(0, len(picture), 51_000)
        ),
        ogg_page([b"", PACKETS[0]], number=5, flags=CONTINUED),
    ]

    assert payloads(*pages) == [PACKETS[0]]


def test_a_stream_without_comments_is_heard_from_its_first_packet() -> None:
    head = ogg_page([opus_head()], number=0, flags=FIRST)

    assert payloads(head, ogg_page(PACKETS[:2], number=1)) == PACKETS[:2]


def test_comments_without_end_are_refused() -> None:
    full = bytes(255 * 255)
    pages = [
        ogg_page(
            [full if number > 1 else TAGS + full[16:]], number=number, flags=CONTINUED * (number > 1), is_open=True
        )
        for number in range(1, MAX_TAGS_BYTES // len(full) + 3)
    ]

    with pytest.raises(BadAudio, match="a packet of more than 1,048,576 bytes of comments"):
        framed(ogg_page([opus_head()], number=0, flags=FIRST), *pages)


def test_a_packet_longer_than_any_is_refused() -> None:
    with pytest.raises(BadAudio, match=r"a packet of more than 61,298 bytes$"):
        framed(ogg_headers(), ogg_page([bytes(255 * 254)], number=2))


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (opus_head(version=16), "version 1 of the Opus header, got 16"),
        (opus_head(channels=6, family=1), "one channel or two, got 6"),
        (opus_head(channels=0), "one channel or two, got 0"),
        (opus_head(channels=2, family=255), "mapping family 255"),
        (opus_head()[:12], "cut short"),
        (b"\x01vorbis" + bytes(23), "got Ogg with Vorbis"),
        (b"\x7fFLAC" + bytes(23), "got Ogg with FLAC"),
        (b"Speex   " + bytes(72), "got Ogg with Speex"),
        (bytes(30), "got Ogg with another codec"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_and_says_why(head: bytes, reason: str) -> None:
    with pytest.raises(BadAudio, match=reason):
        framed(ogg_stream(PACKETS, head=head))


def test_a_header_that_goes_on_in_another_page_is_refused() -> None:
    with pytest.raises(BadAudio, match="cut short"):
        framed(ogg_page([opus_head() + bytes(255 - 19)], number=0, flags=FIRST, is_open=True))


def test_a_stream_without_its_header_is_refused() -> None:
    with pytest.raises(BadAudio, match="a stream joined after its header"):
        framed(ogg_page(PACKETS[:2], number=2))


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"\x1aE\xdf\xa3\x01\x00\x00\x00", "WebM or Matroska"),
        (b"RIFF\x00\x00\x00\x00WAVE", "WAV"),
        (b"fLaC", "FLAC"),
        (b"\x00\x00\x00\x20ftypM4A ", "MP4"),
    ],
)
def test_another_container_is_called_by_its_name(beginning: bytes, name: str) -> None:
    with pytest.raises(BadAudio, match=f"expected an Ogg stream.*got {name}"):
        framed(beginning + bytes(100))


@pytest.mark.parametrize("messages", [[b"\x00"], [b"O", b"g", b"x"], [b"", b"\xff\xf1"]], ids=repr)
def test_what_does_not_begin_like_ogg_is_refused_at_its_first_wrong_byte(messages: list[bytes]) -> None:
    with pytest.raises(BadAudio, match="this begins with something else"):
        framed(*messages)


def test_endless_junk_after_audio_is_refused() -> None:
    junk = [bytes(1_000)] * (MAX_DAMAGE_BYTES // 1_000 + 1)

    assert payloads(STREAM, *junk[1:]) == PACKETS
    with pytest.raises(BadAudio, match="found too little of it"):
        framed(STREAM, *junk)


@pytest.mark.parametrize(
    "page",
    [
        ogg_page([], number=3),
        ogg_page([b""] * 255, number=3),
        ogg_page([b"\x03"] * 255, number=3),
        ogg_page([PACKETS[0]] * 10, number=3, serial=99),
        ogg_page([bytes(10)], number=0, flags=FIRST, serial=99),
        ogg_page([PACKETS[0]], number=3, flags=CONTINUED),
    ],
    ids=["empty", "empty packets", "no packets", "another stream's", "the head of another", "continued from nowhere"],
)
def test_pages_without_audio_are_bounded(page: bytes) -> None:
    assert payloads(ogg_headers(), page) == []
    with pytest.raises(BadAudio, match="found too little of it"):
        framed(ogg_headers(), *[page] * (MAX_DAMAGE_BYTES // len(page) + 1))


def test_some_junk_now_and_then_is_made_good_by_audio() -> None:
    framer = OggOpusFramer()
    [*framer.receive(ogg_headers())]
    audio = ogg_page([opus_packet(1, 1_000)] * 10, number=2)
    for _ in range(MAX_DAMAGE_BYTES // 1_000 + 10):
        assert len([*framer.receive(bytes(1_000) + audio)]) == 10


def test_streams_that_are_little_but_heads_are_bounded() -> None:
    crumb = opus_packet(1, 8)
    stream = ogg_stream([crumb], head=opus_head(skip=65_535))

    assert payloads(*[stream] * 1_000) == [crumb] * 1_000
    with pytest.raises(BadAudio, match="found too little of it"):
        framed(*[stream] * 2_000)


def test_streams_of_a_quarter_of_a_second_may_be_joined_for_hours() -> None:
    framer = OggOpusFramer()
    stream = ogg_stream([opus_packet(1, 40)] * 13)
    for _ in range(3_000):
        assert len([*framer.receive(stream)]) == 13


def test_a_header_alone_holds_no_audio() -> None:
    assert framed(ogg_headers()) == []
    assert framed(b"") == []
