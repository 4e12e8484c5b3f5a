"""Compressed audio over a real socket: heard at its time, refused with a reason, resumed like any other."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from background import background
from resuming_client import TERMINATE, ResumingClient
from running_service import KEY, Client, Service, Start, endings, eventually, limits
from tcp_proxy import How, Proxy

from compressed_streams import adts_frame, cut, ogg_headers, ogg_page
from encoded_audio import aac, ogg_opus, opus_packets
from tympan.client import Reconnected, Turn
from tympan.client.sync import connect

SILENCE = np.zeros(32_000, dtype=np.int16)
OGG_STREAM = ogg_opus(SILENCE)
MESSAGES = {
    "opus": opus_packets(SILENCE),
    "ogg_opus": list(cut(OGG_STREAM, [29, 61])),
    "aac": list(cut(aac(SILENCE), [33])),
}


def ending(client: Client, *items: bytes | dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """What a client is told that sends all this, and the close code."""
    client.tries_to_send(*items)
    messages, code, _ = client.hears_end()
    return messages, code


def final_words(messages: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [
        (word["text"], word["start"], word["end"])
        for message in messages
        if message.get("end_of_turn")
        for word in message["words"]
    ]


@pytest.mark.parametrize("encoding", MESSAGES)
def test_every_encoding_is_heard_at_its_time(service: Service, encoding: str) -> None:
    raw, _ = ending(service.connects(), *[bytes(3_200)] * 20, TERMINATE)
    messages, code = ending(service.connects(f"encoding={encoding}"), *MESSAGES[encoding], TERMINATE)

    assert code == 1000
    assert final_words(messages) == final_words(raw) != []
    assert messages[-1]["type"] == "Termination"
    assert messages[-1]["audio_duration_seconds"] == 2


def test_the_audio_that_is_counted_is_what_was_heard(start: Start) -> None:
    service = start()
    ending(service.connects("encoding=ogg_opus"), OGG_STREAM, TERMINATE)

    assert eventually(service.is_idle)
    metric = service.gateway.metrics.registry.get_sample_value("tympan_audio_received_seconds_total")
    assert metric == pytest.approx(2, abs=0.01)


def test_a_strict_server_takes_packets_of_20_ms(start: Start) -> None:
    strict = start(session=limits(is_strict=True, max_chunk_ms=1_000))

    _, code = ending(strict.connects("encoding=opus"), *MESSAGES["opus"], TERMINATE)
    assert code == 1000


def test_the_encoding_stays_what_it_was(service: Service) -> None:
    update = {"type": "UpdateConfiguration", "encoding": "pcm_s16le", "sample_rate": 8000}
    packets = MESSAGES["opus"]

    messages, code = ending(service.connects("encoding=opus"), *packets[:50], update, *packets[50:], TERMINATE)
    assert (code, messages[-1]["audio_duration_seconds"]) == (1000, 2)


@pytest.mark.parametrize(
    ("encoding", "messages", "text"),
    [
        ("opus", [OGG_STREAM], "Invalid audio: expected one Opus packet in each message, got Ogg"),
        ("ogg_opus", [b"\x1aE\xdf\xa3" + bytes(500)], "got WebM or Matroska"),
        ("ogg_opus", [ogg_headers(head=b"\x01vorbis" + bytes(23)), ogg_page([bytes(50)], number=2)], "Ogg with Vorbis"),
        ("ogg_opus", [bytes(3_200)], "which begins with 'OggS'; this begins with something else"),
        ("aac", [bytes(3_200)] * 6, "found too little of it in 19,200 bytes"),
        ("aac", [adts_frame(channels=6)], "expected mono or stereo AAC"),
        ("aac", [adts_frame(mark, size=200) for mark in range(40)], "of aac could be decoded"),
    ],
    ids=["Ogg as packets", "WebM", "Vorbis", "PCM as Ogg", "PCM as AAC", "surround", "nonsense"],
)
def test_what_is_not_what_it_should_be_is_refused_with_a_reason(
    service: Service, encoding: str, messages: list[bytes], text: str
) -> None:
    told, code = ending(service.connects(f"encoding={encoding}"), *messages)

    assert code == 3006
    assert told[-1]["type"] == "Error"
    assert told[-1]["error"].startswith("User Input Validation Error: Invalid audio: ")
    assert text in told[-1]["error"]


def test_a_bomb_is_refused_before_it_goes_off(start: Start) -> None:
    service = start()
    two_bytes_of_120_ms = b"\xfb\x06"
    hours = ogg_headers() + ogg_page([two_bytes_of_120_ms] * 255, number=2) * 2_500

    told, code = ending(service.connects("encoding=ogg_opus"), hours)
    assert code == 3007
    assert told[-1]["error"] == (
        "Input Duration Error: Input Duration Violation: 10080.0 ms. Expected between 0 and 10000 ms"
    )
    assert eventually(service.is_idle)
    assert service.gateway.metrics.registry.get_sample_value("tympan_audio_received_seconds_total") == 0


def test_where_the_decoder_is_missing_it_is_asked_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = start()
    monkeypatch.setitem(sys.modules, "av", None)

    told, code = ending(service.connects("encoding=opus"))
    assert (code, [message["type"] for message in told]) == (3006, ["Error"])
    assert "'opus' needs the package av on the server" in told[0]["error"]
    assert endings(service, 3006) == 1


@pytest.mark.parametrize("encoding", MESSAGES)
def test_a_cut_connection_goes_on_where_it_was(service: Service, encoding: str) -> None:
    messages = MESSAGES[encoding]
    client = ResumingClient(service, f"encoding={encoding}")
    client.begins()
    for message in messages[: len(messages) // 2]:
        client.sends(message)
    client.is_cut()
    for message in messages[len(messages) // 2 :]:
        client.sends(message)
    client.resumes()
    client.sends(TERMINATE)

    assert client.hears_end() == (1000, "Session Ended")
    uncut, _ = ending(service.connects(f"encoding={encoding}"), *messages, TERMINATE)
    assert final_words(client.told) == final_words(uncut) != []
    assert client.told[-1]["audio_duration_seconds"] == 2


@pytest.mark.parametrize("encoding", MESSAGES)
def test_our_own_client_goes_on_over_a_cut_connection_and_loses_nothing(service: Service, encoding: str) -> None:
    messages = MESSAGES[encoding]
    half = len(messages) // 2
    with (
        background() as loop,
        loop.entered(Proxy("127.0.0.1", service.port)) as proxy,
        connect(proxy.url, api_key=KEY, parameters={"encoding": encoding}) as session,
    ):
        for message in messages[:half]:
            session.send_audio(message)
        loop.call(proxy.cut, How.RESET)
        for message in messages[half:]:
            session.send_audio(message)
        session.terminate()
        told = list(session)

    uncut, _ = ending(service.connects(f"encoding={encoding}"), *messages, TERMINATE)
    ours = [
        (w.text, w.start, w.end) for turn in told if isinstance(turn, Turn) and turn.end_of_turn for w in turn.words
    ]
    assert ours == final_words(uncut) != []
    assert [event.how for event in told if isinstance(event, Reconnected)] == ["resumed"]
    assert told[-1].audio_duration_seconds == 2
