"""Binary messages: how long, how short, how fast (protocol reference, section 3, audio rules)."""

from __future__ import annotations

import pytest
from call import Call, broken
from endpoint import Endpoint, Strictness

TOO_LONG = "Input Duration Error: Input Duration Violation: {} ms. Expected between "
PCM_BYTES_PER_MS = 32


def begun(endpoint: Endpoint, query: str = "") -> Call:
    call = endpoint.calls(query)
    call.hears_begin()
    return call


def counted_s(call: Call) -> int:
    """Audio that Termination counts."""
    return int(call.terminates().messages[-1]["audio_duration_seconds"])


@pytest.mark.parametrize("duration_ms", [50, 100, 250, 999, 1000])
def test_a_chunk_of_50_to_1000_ms_is_taken(endpoint: Endpoint, duration_ms: int) -> None:
    call = begun(endpoint)
    call.plays(bytes(3000 * PCM_BYTES_PER_MS), chunk_bytes=duration_ms * PCM_BYTES_PER_MS)
    if counted_s(call) != 3:
        broken("3: messages of 50 to 1000 ms are taken", "another duration than 3 s was counted", call)


@pytest.mark.parametrize("duration_ms", [1001, 1200, 5000])
def test_a_chunk_above_1000_ms_is_3007_when_strict_and_else_taken(endpoint: Endpoint, duration_ms: int) -> None:
    if endpoint.strictness is Strictness.UNKNOWN:
        pytest.skip("give --expect-profile: strict services take 1000 ms at most")
    call = begun(endpoint)
    chunk = bytes(duration_ms * PCM_BYTES_PER_MS)
    if endpoint.is_strict:
        says, text = "3: a message above 1000 ms is 3007", TOO_LONG.format(f"{duration_ms:.1f}") + "50 and 1000 ms"
        call.ends_by(chunk, says).must_be(3007, text, says)
        return
    call.sends(chunk)
    if counted_s(call) != round(duration_ms / 1000):
        broken("3: lenient services take 10 s at once", "another duration was counted", call)


def test_a_chunk_above_10_s_is_3007_everywhere(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    says = "3: a message far above 1000 ms is 3007"
    call.ends_by(bytes(11_000 * PCM_BYTES_PER_MS), says).must_be(3007, TOO_LONG.format("11000.0"), says)


@pytest.mark.parametrize("query", ["sample_rate=8000", "encoding=pcm_mulaw", "sample_rate=48000"])
def test_the_length_of_a_chunk_is_counted_in_its_own_rate_and_encoding(endpoint: Endpoint, query: str) -> None:
    bytes_per_s = {"sample_rate=8000": 16_000, "encoding=pcm_mulaw": 16_000, "sample_rate=48000": 96_000}[query]
    call = begun(endpoint, query)
    call.plays(bytes(2 * bytes_per_s), chunk_bytes=bytes_per_s, bytes_per_s=bytes_per_s)
    if counted_s(call) != 2:
        broken("3: chunks match encoding and sample_rate", "another duration than 2 s was counted", call)


def test_a_short_tail_before_terminate_is_taken(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    call.plays(bytes(1000 * PCM_BYTES_PER_MS))
    call.sends(bytes(7 * PCM_BYTES_PER_MS))
    counted_s(call)


def test_short_chunks_are_taken_for_a_second_and_then_3007_when_strict(endpoint: Endpoint) -> None:
    if endpoint.strictness is Strictness.UNKNOWN:
        pytest.skip("give --expect-profile: strict services take no 20 ms chunks for long")
    for duration_ms, is_too_much in ((980, False), (1000, True)):
        call = begun(endpoint)
        call.plays(bytes(duration_ms * PCM_BYTES_PER_MS), chunk_bytes=20 * PCM_BYTES_PER_MS)
        if endpoint.is_strict and is_too_much:
            says = "3: messages below 50 ms are 3007 after a second of them"
            call.hears_end(says).must_be(3007, TOO_LONG.format("20.0"), says)
        else:
            call.terminates()


def test_a_long_chunk_between_short_ones_forgives_them(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    for _ in range(3):
        call.plays(bytes(600 * PCM_BYTES_PER_MS), chunk_bytes=20 * PCM_BYTES_PER_MS)
        call.sends(bytes(50 * PCM_BYTES_PER_MS))
    call.terminates()


def test_an_odd_byte_waits_for_its_other_half(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    call.plays(bytes(2000 * PCM_BYTES_PER_MS), chunk_bytes=1601)
    if counted_s(call) != 2:
        broken("3: the odd byte is kept for the next message", "another duration than 2 s was counted", call)


def test_an_empty_binary_message_is_ignored(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    for _ in range(3):
        call.sends(b"")
    if counted_s(call) != 0:
        broken("3: an empty binary message is ignored", "audio was counted", call)


def test_audio_faster_than_real_time_is_taken(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    call.realtime_factor = 0
    call.plays(bytes(7000 * PCM_BYTES_PER_MS), chunk_bytes=100 * PCM_BYTES_PER_MS)
    if counted_s(call) != 7:
        broken("3: 7 s sent at once are accepted", "another duration than 7 s was counted", call)


NO_AUDIO = {
    "opus": b"\x03\x00",  # a packet of no frames (RFC 6716, section 3.2.5)
    "ogg_opus": b"this is no page of a stream" * 400,
    "aac": b"this is no frame with a header" * 800,
}


@pytest.mark.parametrize("encoding", NO_AUDIO)
def test_compressed_audio_that_is_none_is_3006(endpoint: Endpoint, encoding: str) -> None:
    if not endpoint.is_ours:
        pytest.skip("docs/reference/compatibility.md: the hosted service's code for it isn't known")
    call = begun(endpoint, f"encoding={encoding}")
    says = "docs/reference/protocol.md: compressed audio that can't be read is 3006"
    call.ends_by(NO_AUDIO[encoding], says).must_be(3006, "User Input Validation Error: ", says)


def test_audio_5_minutes_ahead_of_real_time_is_3007_when_strict(endpoint: Endpoint) -> None:
    if not (endpoint.is_ours and endpoint.is_strict):
        pytest.skip("3: strict services hold 5 minutes at real time; what others hold depends on their pace")
    call = begun(endpoint, "sample_rate=8000&encoding=pcm_mulaw")
    call.plays(bytes(8_000 * 320), chunk_bytes=8_000)
    says = "3: more than 5 min of audio ahead is 3007"
    call.hears_end(says).must_be(3007, "Audio Transmission Rate Exceeded: ", says)
