"""AAC with ADTS headers: every frame, however the stream is cut, joined, damaged or wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressed_streams import adts_frame, cut
from tympan.core.errors import BadAudio
from tympan.core.packets.adts import MAX_DAMAGE_BYTES, AdtsFramer
from tympan.core.packets.packet import Packet

FRAMES = [adts_frame(mark, size=50 + 31 * mark) for mark in range(10)]
STREAM = b"".join(FRAMES)


def framed(*messages: bytes) -> list[Packet]:
    framer = AdtsFramer()
    return [packet for message in messages for packet in framer.receive(message)]


def payloads(*messages: bytes) -> list[bytes]:
    return [packet.payload for packet in framed(*messages)]


def test_every_frame_comes_and_the_first_is_decoded_but_not_heard() -> None:
    packets = framed(STREAM)

    assert [packet.payload for packet in packets] == FRAMES
    assert [packet.kept_count for packet in packets] == [0, *[1_024] * 9]
    assert {packet.rate_hz for packet in packets} == {16_000}
    assert [packet.is_first for packet in packets] == [True, *[False] * 9]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=20))
def test_any_cut_gives_the_same_packets(sizes: list[int]) -> None:
    assert framed(*cut(STREAM, sizes)) == framed(STREAM)


def test_one_byte_a_message_gives_the_same_packets() -> None:
    assert framed(*cut(STREAM, [1])) == framed(STREAM)


def test_a_frame_comes_with_its_last_byte() -> None:
    framer = AdtsFramer()

    assert [*framer.receive(FRAMES[0][:-1])] == []
    assert len([*framer.receive(FRAMES[0][-1:])]) == 1


@pytest.mark.parametrize("frame", [adts_frame(rate_hz=44_100, channels=2), adts_frame(has_sum=True)])
def test_stereo_other_rates_and_checksums_are_fine(frame: bytes) -> None:
    assert len(framed(frame * 3)) == 3


@pytest.mark.parametrize("cut_off", [1, 3, 20, 49])
def test_a_stream_joined_in_the_middle_of_a_frame_begins_with_the_next(cut_off: int) -> None:
    assert payloads(STREAM[cut_off:]) == FRAMES[1:]


def test_a_tag_before_the_audio_is_passed_over() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x3f" + b"PRIV" + bytes(59)

    assert payloads(tag + STREAM) == FRAMES
    assert payloads(*cut(tag + STREAM, [1])) == FRAMES


def test_a_lost_piece_of_the_stream_costs_its_frames_alone() -> None:
    at = len(FRAMES[0]) + len(FRAMES[1])

    assert payloads(STREAM[: at + 20] + STREAM[at + 40 :]) != []
    lost = FRAMES[0] + FRAMES[1] + FRAMES[2][40:] + b"".join(FRAMES[3:])
    assert payloads(lost) == FRAMES[:2] + FRAMES[3:]


def test_a_header_that_no_other_follows_is_chance() -> None:
    chance = FRAMES[0][:20]

    assert payloads(b"\x00" * 12 + chance + STREAM) == FRAMES


def test_junk_that_ends_like_a_header_begins_hides_none() -> None:
    assert payloads(b"\x00" * 12 + b"\xff", STREAM) == FRAMES
    assert payloads(b"\x00" * 12, b"\xff" * 5, STREAM) == FRAMES


def test_another_rate_begins_another_stream() -> None:
    other = [adts_frame(mark, rate_hz=44_100, channels=2) for mark in range(3)]
    packets = framed(STREAM + b"".join(other))

    assert [packet.payload for packet in packets] == FRAMES + other
    assert [(packet.rate_hz, packet.is_first, packet.skip_count) for packet in packets[10:]] == [
        (44_100, True, 1_024),
        (44_100, False, 0),
        (44_100, False, 0),
    ]


def test_one_frame_that_calls_itself_something_else_is_damaged() -> None:
    for odd in (adts_frame(99, size=70, rate_hz=96_000, channels=7), adts_frame(99, blocks=3)):
        assert payloads(*FRAMES[:3], odd, *FRAMES[3:]) == FRAMES


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (adts_frame(channels=6), "mono or stereo AAC, got channel configuration 6"),
        (adts_frame(channels=0), "channel configuration 0"),
        (adts_frame(blocks=4), "one block of AAC in each ADTS frame, got 4"),
    ],
)
def test_more_than_stereo_or_one_block_is_refused(frame: bytes, got: str) -> None:
    with pytest.raises(BadAudio, match=got):
        framed(frame)


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"\x1aE\xdf\xa3\x01\x00\x00\x00", "WebM or Matroska"),
        (b"OggS\x00\x02", "Ogg"),
        (b"\x00\x00\x00\x20ftypM4A ", "MP4"),
        (b"ADIF", "AAC with an ADIF header"),
    ],
)
def test_another_container_is_called_by_its_name(beginning: bytes, name: str) -> None:
    with pytest.raises(BadAudio, match=f"expected AAC with ADTS headers.*got {name}"):
        framed(beginning + bytes(100))


@pytest.mark.parametrize(
    "junk",
    [bytes(1_000), b"\xff" * 1_000, b"\xff\xf1" * 500, b"\xff\xfb\x90\x64" * 250],
    ids=lambda junk: repr(junk[:4]),
)
def test_what_never_has_a_frame_is_refused(junk: bytes) -> None:
    assert payloads(junk) == []
    with pytest.raises(BadAudio, match="found too little of it"):
        framed(*[junk] * (MAX_DAMAGE_BYTES // 1_000 + 2))


def test_less_than_a_header_is_no_audio() -> None:
    assert framed(b"") == []
    assert framed(b"\xff\xf1\x60") == []
