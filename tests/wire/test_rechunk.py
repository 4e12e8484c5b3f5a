"""Audio cut anew: nothing lost, nothing reordered, pieces as v3 wants them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.audio import AudioFormat, Encoding
from tympan.wire.rechunk import Rechunker

MS = 32  # bytes of 16 kHz PCM16
formats = st.builds(AudioFormat, st.sampled_from(Encoding), st.sampled_from([8_000, 11_025, 16_000, 44_100, 48_000]))


@given(formats, st.lists(st.binary(max_size=30) | st.integers(0, 250_000).map(bytes), max_size=8))
def test_pieces_joined_are_the_audio_in_whole_samples_and_of_the_right_length(audio, payloads):
    rechunker = Rechunker(audio)
    pieces = [piece for payload in payloads for piece in rechunker.receive(payload)]
    for piece in pieces:
        assert 50 <= audio.duration_ms(len(piece)) <= 1000
        assert len(piece) % audio.bytes_per_sample == 0
    last = rechunker.flush()
    assert all(audio.duration_ms(len(piece)) < 50 for piece in last)
    whole = b"".join(payloads)
    cut = len(whole) // audio.bytes_per_sample * audio.bytes_per_sample
    assert b"".join(pieces + last) == whole[:cut]
    assert rechunker.flush() == []


@pytest.mark.parametrize(
    ("sent_ms", "pieces_ms"),
    [(49, []), (50, [50]), (200, [200]), (1000, [1000]), (1001, [1000]), (1050, [1000, 50]), (2300, [1000, 1000, 300])],
)
def test_a_message_becomes_as_few_pieces_as_possible(sent_ms, pieces_ms):
    pieces = Rechunker(AudioFormat()).receive(b"\0" * (sent_ms * MS))
    assert [len(piece) // MS for piece in pieces] == pieces_ms


def test_short_messages_are_sent_together():
    rechunker = Rechunker(AudioFormat())
    sent = [len(piece) // MS for _ in range(6) for piece in rechunker.receive(b"\0" * (20 * MS))]
    assert sent == [60, 60]


def test_half_a_sample_waits_for_its_other_half():
    rechunker = Rechunker(AudioFormat())
    assert rechunker.receive(b"ab" * 800 + b"c") == [b"ab" * 800]
    assert rechunker.flush() == []
    assert rechunker.receive(b"d") == []
    assert rechunker.flush() == [b"cd"]
