"""Raw audio of any layout, cut anywhere, becomes mono chunks of 50 ms."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.client.raw_audio import MonoChunks, RawFormat, WavHeader, decode_mulaw, read_wav_header
from tympan.core.audio import Encoding
from tympan.dsp.mulaw import decode_mulaw as engine_decode_mulaw


def cut(payloads: list[bytes], raw_format: RawFormat) -> list[bytes]:
    cutter = MonoChunks(raw_format)
    return [chunk for payload in payloads for chunk in cutter.receive(payload)] + cutter.close()


@given(st.lists(st.binary(max_size=3_000), max_size=8), st.integers(1, 3), st.sampled_from(Encoding))
def test_however_the_bytes_are_cut_the_chunks_are_the_same(
    payloads: list[bytes], channels: int, encoding: Encoding
) -> None:
    raw_format = RawFormat(8_000, channels, encoding)
    chunks = cut(payloads, raw_format)

    assert chunks == cut([b"".join(payloads)], raw_format)
    assert all(len(chunk) == 800 for chunk in chunks[:-1])
    assert sum(map(len, chunks)) == 2 * (len(b"".join(payloads)) // raw_format.bytes_per_frame)


def test_channels_are_averaged() -> None:
    stereo = np.array([[100, 300], [-5, -8]], dtype="<i2").tobytes()
    assert np.frombuffer(b"".join(cut([stereo], RawFormat(channels=2))), "<i2").tolist() == [200, -7]


def test_mu_law_is_what_the_engine_makes_of_it() -> None:
    every = bytes(range(256))
    assert decode_mulaw(every) == engine_decode_mulaw(every).astype("<i2").tobytes()


def test_closing_twice_gives_the_last_chunk_once() -> None:
    cutter = MonoChunks(RawFormat())
    cutter.receive(b"1234")
    assert (cutter.close(), cutter.close()) == ([b"1234"], [])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (WavHeader(1, 16, 2, 44_100, None), RawFormat(44_100, 2)),
        (WavHeader(7, 8, 1, 8_000, None), RawFormat(8_000, 1, Encoding.PCM_MULAW)),
        (WavHeader(3, 32, 1, 16_000, None), None),
        (WavHeader(1, 24, 1, 16_000, None), None),
        (WavHeader(1, 16, 0, 16_000, None), None),
        (WavHeader(1, 16, 1, 0, None), None),
    ],
)
def test_a_wav_header_says_what_raw_audio_follows(header: WavHeader, expected: RawFormat | None) -> None:
    assert header.raw_format() == expected


def test_what_is_no_wav_has_no_header_and_a_cut_header_is_an_error() -> None:
    assert read_wav_header(io.BytesIO(b"OggS and so on, for ever")) is None
    with pytest.raises(EOFError):
        read_wav_header(io.BytesIO(b"RIFF\0\0\0\0WAVEfmt "))
