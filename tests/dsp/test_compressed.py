"""Compressed audio → 16 kHz samples: at its time, at once, the same however it is cut, and never more than it says."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressed_streams import adts_frame, cut, ogg_headers, ogg_page, opus_head
from encoded_audio import Samples, aac, demuxed, ogg_opus, opus_packets
from tympan.core.audio import AudioFormat, CompressedEncoding, CompressedFormat
from tympan.core.errors import BadAudio, BadParameter, UsageError
from tympan.core.received import framer_of, received_audio
from tympan.dsp.decode import Decoder, check_decodable, decoder_of

OPUS, OGG, AAC = (CompressedFormat(encoding) for encoding in CompressedEncoding)


def sound(seconds: float, rate_hz: int = 16_000, seed: int = 0) -> Samples:
    """Noise below 3 kHz in syllables: it is like speech to a codec, and like nothing but itself to a correlation."""
    count = int(seconds * rate_hz)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum[np.fft.rfftfreq(count, 1 / rate_hz) > 3_000] = 0
    noise = np.fft.irfft(spectrum, count)
    envelope = np.sin(np.arange(count) * np.pi * 3 / rate_hz) ** 2
    return (noise / np.abs(noise).max() * envelope * 20_000).astype(np.int16)


SOUND = sound(2)
OGG_STREAM = ogg_opus(SOUND)
AAC_STREAM = aac(SOUND)
PACKETS = opus_packets(SOUND)
STREAMS = [(OGG, OGG_STREAM), (AAC, AAC_STREAM)]


def heard(audio: CompressedFormat, *messages: bytes) -> Samples:
    decoder = decoder_of(audio)
    return np.concatenate([*map(decoder.decode, messages), decoder.flush()])


def delay_ms(samples: Samples, original: Samples) -> float:
    """How much later the original is in the samples, from where they agree most."""
    size = min(len(samples), len(original))
    spectra = np.fft.rfft(samples[:size], 2 * size) * np.conj(np.fft.rfft(original[:size], 2 * size))
    peak = int(np.argmax(np.fft.irfft(spectra)))
    return (peak if peak < size else peak - 2 * size) / 16


@pytest.mark.parametrize(
    ("audio", "messages", "delay"),
    [
        (OPUS, PACKETS, 6.5),  # the encoder's, which no header tells
        (OGG, [OGG_STREAM], 0),
        (OGG, [ogg_opus(SOUND, frame_duration="60")], 0),
        (OGG, [ogg_opus(SOUND, frame_duration="2.5", application="lowdelay")], 0),
        (OGG, [ogg_opus(np.repeat(SOUND, 3), rate_hz=48_000)], 0),
        (AAC, [AAC_STREAM], 0),
        (AAC, [aac(np.repeat(SOUND, 3), rate_hz=48_000)], 0),
    ],
    ids=["packets", "ogg", "ogg of 60 ms", "ogg of 2.5 ms", "ogg of 48 kHz", "aac", "aac of 48 kHz"],
)
def test_a_sound_stays_at_its_time(audio: CompressedFormat, messages: list[bytes], delay: float) -> None:
    assert delay_ms(heard(audio, *messages), SOUND) == pytest.approx(delay, abs=0.5)


@pytest.mark.parametrize(
    ("audio", "messages"), [(OPUS, PACKETS), (OGG, [OGG_STREAM]), (AAC, [AAC_STREAM])], ids=["opus", "ogg", "aac"]
)
def test_as_much_time_comes_out_as_the_session_counts(audio: CompressedFormat, messages: list[bytes]) -> None:
    counter = received_audio(audio)
    for message in messages:
        counter.receive(message, 10_000)

    assert abs(len(heard(audio, *messages)) - counter.position_ms * 16) <= 18


def test_ogg_opus_ends_where_the_sound_did() -> None:
    assert abs(len(heard(OGG, ogg_opus(SOUND[:20_000]))) - 20_000) <= 2


@pytest.mark.parametrize(("audio", "stream"), STREAMS, ids=["ogg", "aac"])
@given(sizes=st.lists(st.integers(1, 2_000), min_size=1, max_size=8))
@settings(max_examples=15)
def test_any_cut_gives_exactly_the_same_samples(audio: CompressedFormat, stream: bytes, sizes: list[int]) -> None:
    assert np.array_equal(heard(audio, *cut(stream, sizes)), heard(audio, stream))


@pytest.mark.parametrize(("audio", "stream"), STREAMS, ids=["ogg", "aac"])
def test_one_byte_a_message_gives_exactly_the_same_samples(audio: CompressedFormat, stream: bytes) -> None:
    assert np.array_equal(heard(audio, *cut(stream, [1])), heard(audio, stream))


@pytest.mark.parametrize(
    ("audio", "messages"),
    [
        (OPUS, PACKETS),
        (OGG, list(cut(OGG_STREAM, [100]))),
        (AAC, list(cut(AAC_STREAM, [100]))),
        (AAC, list(cut(aac(np.repeat(SOUND, 3), rate_hz=48_000), [100]))),
    ],
    ids=["opus", "ogg", "aac", "aac of 48 kHz"],
)
def test_of_what_is_complete_no_more_than_15_ms_are_held_back(audio: CompressedFormat, messages: list[bytes]) -> None:
    decoder, counter = decoder_of(audio), received_audio(audio)
    delivered = 0
    for message in messages:
        counter.receive(message, 10_000)
        delivered += len(decoder.decode(message))
        assert counter.position_ms - delivered / 16 <= 15


@pytest.mark.parametrize(("stream", "container", "audio"), [(OGG_STREAM, "ogg", OGG), (AAC_STREAM, "aac", AAC)])
def test_our_packets_are_those_that_ffmpeg_finds(stream: bytes, container: str, audio: CompressedFormat) -> None:
    assert [packet.payload for packet in framer_of(audio).receive(stream)] == demuxed(stream, container)


@pytest.mark.parametrize(("audio", "encode"), [(OGG, ogg_opus), (AAC, aac)], ids=["ogg", "aac"])
def test_stereo_is_heard_as_the_mean_of_both_sides(audio: CompressedFormat, encode: Callable[[Samples], bytes]) -> None:
    one_side = heard(audio, encode(np.stack([SOUND, np.zeros_like(SOUND)])))
    both_sides = heard(audio, encode(np.stack([SOUND, SOUND])))

    assert level(one_side) == pytest.approx(level(SOUND) / 2, rel=0.05)
    assert level(both_sides) == pytest.approx(level(SOUND), rel=0.05)


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


@pytest.mark.parametrize("gain_db", [-6, 6])
def test_the_gain_of_an_ogg_header_is_obeyed(gain_db: int) -> None:
    headers = ogg_headers(head=opus_head(gain=256 * gain_db))
    page = ogg_page(PACKETS[:50], number=2)
    plain = heard(OGG, ogg_headers() + page)

    assert level(heard(OGG, headers + page)) == pytest.approx(level(plain) * 10 ** (gain_db / 20), rel=0.01)


def test_streams_joined_end_to_end_are_heard_as_both() -> None:
    both = heard(OGG, OGG_STREAM + OGG_STREAM)

    assert len(both) == pytest.approx(2 * len(SOUND), abs=2)
    assert delay_ms(both[len(SOUND) :], SOUND) == pytest.approx(0, abs=0.5)


def test_aac_may_change_its_rate() -> None:
    joined = heard(AAC, AAC_STREAM + aac(np.repeat(SOUND, 3), rate_hz=48_000))
    first = len(heard(AAC, AAC_STREAM))

    assert delay_ms(joined[:first], SOUND) == pytest.approx(0, abs=0.5)
    assert delay_ms(joined[first:], SOUND) == pytest.approx(0, abs=0.5)


def test_a_packet_that_tells_of_silence_lasts_as_long_as_any() -> None:
    silence = PACKETS[10][:1]  # its first byte alone, as with discontinuous transmission

    assert len(heard(OPUS, *PACKETS[:10], silence, *PACKETS[10:20])) == pytest.approx(21 * 320, abs=2)


def test_a_packet_that_cannot_be_decoded_is_as_much_silence() -> None:
    bad = b"\xfa" + b"\xff" * 3  # says that its first frame is longer than the packet
    samples = heard(OPUS, *PACKETS[:50], bad, *PACKETS[50:])

    assert len(samples) == pytest.approx(320 * (len(PACKETS) + 2), abs=2)
    assert level(samples[50 * 320 + 100 : 52 * 320 - 200]) < level(samples) / 100


def test_a_second_that_cannot_be_decoded_is_given_up() -> None:
    bad = b"\xfa" + b"\xff" * 3
    decoder = decoder_of(OPUS)
    for packet in [*PACKETS[:10], *[bad] * 25, PACKETS[10], *[bad] * 25]:
        decoder.decode(packet)

    with pytest.raises(BadAudio, match="nothing of the last 1040 ms of opus could be decoded"):
        decoder.decode(bad)


def test_frames_of_nonsense_are_given_up_and_ffmpeg_keeps_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadAudio, match="of aac could be decoded"):
        heard(AAC, *(adts_frame(mark, size=300) for mark in range(100)))
    assert capfd.readouterr() == ("", "")


def test_a_stream_that_is_cut_off_is_heard_up_to_its_last_packet() -> None:
    for audio, stream in STREAMS:
        whole, part = heard(audio, stream), heard(audio, stream[: len(stream) // 2])
        assert np.array_equal(part[: len(part) - 400], whole[: len(part) - 400])
        assert len(part) > len(whole) // 3


def test_flush_is_idempotent_and_nothing_may_follow_it() -> None:
    decoder = decoder_of(OGG)
    decoder.decode(OGG_STREAM)
    assert len(decoder.flush()) > 0
    assert len(decoder.flush()) == 0
    with pytest.raises(UsageError, match="after flush"):
        decoder.decode(b"")


def test_nothing_is_heard_of_nothing() -> None:
    for audio in (OPUS, OGG, AAC):
        assert len(heard(audio)) == len(heard(audio, b"")) == 0


def test_what_decodes_is_asked_for_by_name_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    check_decodable(OPUS)
    monkeypatch.setitem(sys.modules, "av", None)

    check_decodable(AudioFormat())
    with pytest.raises(BadParameter, match=r"'aac' needs the package av on the server.*tympan\[compressed\]"):
        check_decodable(AAC)


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "double", "junk"]), st.integers(0, 20_000), st.integers(1, 600), st.binary()
    ),
    max_size=6,
)


def mutated(stream: bytes, mutations: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, place, size, junk in mutations:
        at = place % (len(stream) + 1)
        match kind:
            case "flip":
                stream = stream[:at] + bytes(byte ^ 1 << size % 8 for byte in stream[at : at + 1]) + stream[at + 1 :]
            case "cut":
                stream = stream[:at] + stream[at + size :]
            case "double":
                stream = stream[:at] + stream[at : at + size] + stream[at:]
            case _:
                stream = stream[:at] + junk + stream[at:]
    return stream


def check_that_time_is_kept(audio: CompressedFormat, messages: list[bytes]) -> None:
    """What is heard lasts as long as the session counts; if it is refused, with an error that is foreseen."""
    decoder: Decoder = decoder_of(audio)
    counter = received_audio(audio)
    heard_count = 0
    try:
        for message in messages:
            counter.receive(message, 10_000)
            heard_count += len(decoder.decode(message))
    except BadAudio:
        return
    heard_count += len(decoder.flush())
    assert heard_count / 16 == pytest.approx(counter.position_ms, abs=5)


@pytest.mark.parametrize(("audio", "stream"), STREAMS, ids=["ogg", "aac"])
@given(mutations=MUTATIONS, sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=4))
@settings(max_examples=40)
def test_a_damaged_stream_keeps_its_time_or_is_refused(
    audio: CompressedFormat, stream: bytes, mutations: list[tuple[str, int, int, bytes]], sizes: list[int]
) -> None:
    check_that_time_is_kept(audio, list(cut(mutated(stream, mutations), sizes)))


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from(PACKETS)), max_size=30))
@settings(max_examples=60)
def test_messages_of_anything_keep_their_time_as_opus_or_are_refused(messages: list[bytes]) -> None:
    check_that_time_is_kept(OPUS, messages)


@pytest.mark.parametrize("audio", [OGG, AAC], ids=["ogg", "aac"])
@given(data=st.binary(max_size=400))
@settings(max_examples=40)
def test_anything_keeps_its_time_or_is_refused(audio: CompressedFormat, data: bytes) -> None:
    beginning = ogg_headers() if audio == OGG else AAC_STREAM[:2_000]
    check_that_time_is_kept(audio, [data])
    check_that_time_is_kept(audio, [beginning + data])
