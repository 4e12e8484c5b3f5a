"""How much audio a session has received, whatever it is sent as."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressed_streams import LAST, adts_frame, cut, ogg_headers, ogg_page, ogg_stream, opus_head, opus_packet
from tympan.core.audio import AudioFormat, CompressedEncoding, CompressedFormat, SessionAudio
from tympan.core.errors import BadAudio
from tympan.core.received import ReceivedAudio, received_audio

OPUS, OGG, AAC = (CompressedFormat(encoding) for encoding in CompressedEncoding)


def received(audio: SessionAudio, *messages: bytes) -> ReceivedAudio:
    counter = received_audio(audio)
    for message in messages:
        counter.receive(message, math.inf)
    return counter


@pytest.mark.parametrize(
    ("audio", "messages", "ms"),
    [
        (AudioFormat(sample_rate_hz=8_000), [bytes(1_601)], 100),
        (OPUS, [opus_packet()] * 7, 140),
        (OGG, [ogg_stream([opus_packet()] * 7, head=opus_head(skip=480))], 130),
        (AAC, [adts_frame()] * 126, 8_000),
        (AAC, [adts_frame()] * 126 + [adts_frame(rate_hz=48_000)] * 376, 16_000),
    ],
    ids=["pcm", "opus", "ogg_opus", "aac", "aac of two rates"],
)
def test_time_is_what_the_samples_last(audio: SessionAudio, messages: list[bytes], ms: int) -> None:
    counter = received(audio, *messages)

    assert counter.position_ms == ms
    assert counter.byte_count == sum(map(len, messages))


@given(st.integers(1, 60), st.lists(st.integers(1, 300), min_size=1, max_size=8))
def test_bytes_and_time_do_not_depend_on_the_cut(count: int, sizes: list[int]) -> None:
    for audio, stream in ((OGG, ogg_stream([opus_packet()] * count)), (AAC, adts_frame() * count)):
        whole, pieces = received(audio, stream), received(audio, *cut(stream, sizes))
        assert (whole.position_ms, whole.byte_count) == (pieces.position_ms, pieces.byte_count)


@pytest.mark.parametrize(
    ("audio", "message", "ms"),
    [
        (AudioFormat(), bytes(32 * 1_001), 1_001),
        (OGG, ogg_headers() + ogg_page([opus_packet()] * 51, number=2), 1_020),
        (AAC, adts_frame() * 16, 1_024),
    ],
    ids=["pcm", "ogg_opus", "aac"],
)
def test_a_message_that_is_too_long_does_not_count(audio: SessionAudio, message: bytes, ms: int) -> None:
    counter = received_audio(audio)

    assert counter.receive(message, 1_000) == ms
    assert (counter.position_ms, counter.byte_count) == (0, 0)


def test_packets_that_are_mostly_padding_are_refused_in_the_end() -> None:
    padded = b"\x83\x41" + bytes(60_000)  # one frame of 2.5 ms
    counter = received(OPUS, *[padded] * 70)

    with pytest.raises(BadAudio, match="expected at most 2,048 kbit/s"):
        counter.receive(padded, math.inf)


def test_packets_that_are_said_to_be_no_audio_are_refused_in_the_end() -> None:
    second = [opus_packet()] * 50
    counter = received(OGG, ogg_stream(second))
    for number in range(100, 160):
        counter.receive(ogg_page(second, number=number, granule=0, flags=LAST), math.inf)
    assert counter.position_ms == 993

    with pytest.raises(BadAudio, match="61,006 ms are said to be no audio"):
        counter.receive(ogg_page(second, number=160, granule=0, flags=LAST), math.inf)


def test_streams_of_which_the_half_is_no_audio_may_be_joined_for_hours() -> None:
    counter = received(OGG, *[ogg_stream([opus_packet()] * 10, head=opus_head(skip=4_800))] * 3_000)
    assert counter.position_ms == 300_000


def test_of_a_bomb_no_more_is_looked_at_than_may_count() -> None:
    two_bytes_of_120_ms = b"\xfb\x06"
    bomb = ogg_headers() + ogg_page([two_bytes_of_120_ms] * 255, number=2) * 2_000

    assert received_audio(OGG).receive(bomb, 10_000) == 10_080
