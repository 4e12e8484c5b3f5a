"""The replayed hosted service says what the protocol reference shows, and understands a stream at any place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from hosted_replay import KEY, U3, US, Behaviour, HostedReplay
from hypothesis import given
from hypothesis import strategies as st
from replayed_session import Message, Profile, ReplayedSession
from speech_track import SpeechTrack, position_of, positioned_audio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from unhurried_loop import run_unhurried

SONNY = SpeechTrack.load("sonny")
COUNTING = SpeechTrack.counting(5)


def all_of(profile: Profile, audio: bytes, *, chunk_bytes: int = 1600, format_turns: bool = True) -> list[Message]:
    session = ReplayedSession(SONNY, profile, format_turns=format_turns)
    said = []
    for start in range(0, len(audio), chunk_bytes):
        said += session.receive_audio(audio[start : start + chunk_bytes])
    return [*said, *session.terminate()]


def heard_words(track: SpeechTrack, *pieces: tuple[int, int]) -> str:
    """The finals' words when these stretches of the track (ms) come one after the other in one session."""
    session = ReplayedSession(track, US)
    said = [m for start, end in pieces for m in session.receive_audio(track.audio(start, end))]
    said += session.terminate()
    return " ".join(m["transcript"] for m in said if m["end_of_turn"])


@given(start=st.integers(0, 2**29), length=st.integers(7, 300))
def test_audio_tells_where_it_stands(start: int, length: int) -> None:
    assert position_of(positioned_audio(start, start + length)) == start


def test_silence_and_a_seam_tell_nothing() -> None:
    assert position_of(b"\0\0" * 320) is None
    assert position_of(positioned_audio(0, 100) + positioned_audio(300, 400)) is None


def test_the_us_conversation_of_the_reference_is_told_with_formatted_finals() -> None:
    turns = [m for m in all_of(US, SONNY.audio()) if m["turn_order"] == 0]
    assert list(turns[0]) == [
        "turn_order",
        "turn_is_formatted",
        "end_of_turn",
        "transcript",
        "end_of_turn_confidence",
        "words",
        "utterance",
        "type",
    ]
    assert (turns[0]["transcript"], [word["text"] for word in turns[0]["words"]]) == ("", ["hi"])
    assert [turn["utterance"] for turn in turns if turn["utterance"]] == ["Hi, my name is Sonny."]
    raw, formatted = turns[-2:]
    assert (raw["end_of_turn"], raw["turn_is_formatted"], raw["transcript"]) == (True, False, "hi my name is sonny")
    assert (formatted["turn_is_formatted"], formatted["transcript"]) == (True, "Hi, my name is Sonny.")
    finals = [[word["text"] for word in turn["words"] if word["word_is_final"]] for turn in turns[:-1]]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(finals))


def test_u3_starts_speech_and_tells_one_final() -> None:
    said = [m for m in all_of(U3, SONNY.audio()) if m.get("turn_order", 0) == 0]
    assert [(m["type"], m.get("end_of_turn")) for m in said[:3]] == [
        ("SpeechStarted", None),
        ("Turn", False),
        ("Turn", True),
    ]
    assert said[0] == {"timestamp": 560, "confidence": 0.98, "type": "SpeechStarted"}
    assert said[1]["transcript"].endswith("—")
    assert said[2]["utterance"] == said[2]["transcript"] == "Hi, my name is Sonny."


@given(chunk_bytes=st.integers(1, 20_000))
def test_messages_do_not_depend_on_the_cut_of_the_audio(chunk_bytes: int) -> None:
    assert all_of(US, SONNY.audio(), chunk_bytes=chunk_bytes) == all_of(US, SONNY.audio())


def test_a_stream_is_understood_from_any_place_and_on_its_own_clock() -> None:
    session = ReplayedSession(COUNTING, US)
    said = [*session.receive_audio(COUNTING.audio(1700)), *session.terminate()]
    first = next(m for m in said if m["end_of_turn"])
    assert first["transcript"] == "n4 n5"
    assert [(word["start"], word["end"]) for word in first["words"]] == [(0, 250), (300, 550)]


def test_a_gap_loses_words_and_a_replay_within_a_session_doubles_them() -> None:
    assert heard_words(COUNTING, (0, 900), (1700, 4100)) == "n0 n4 n5 n6"
    assert heard_words(COUNTING, (0, 1400), (500, 2800)) == "n0 n1 n2 n0 n1 n2 n3 n4 n5"


def test_audio_without_positions_is_heard_by_the_clock() -> None:
    finals = [m["transcript"] for m in all_of(US, b"\0" * len(SONNY.audio())) if m["turn_is_formatted"]]
    assert " ".join(finals) == SONNY.text


@asynccontextmanager
async def session(
    query: str = "", *, key: str | None = KEY, behaviour: Behaviour | None = None
) -> AsyncIterator[ClientConnection]:
    headers = {} if key is None else {"Authorization": key}
    async with (
        HostedReplay(SONNY, behaviour=behaviour) as service,
        connect(f"{service.url}/v3/ws?{query}", additional_headers=headers) as socket,
    ):
        yield socket


async def hear_end(socket: ClientConnection) -> tuple[list[dict[str, Any]], int | None, str | None]:
    messages = []
    try:
        async with asyncio.timeout(60):
            while True:
                messages.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        return messages, socket.close_code, socket.close_reason


def test_a_session_begins_and_ends_as_the_hosted_one() -> None:
    async def scene() -> None:
        async with session("format_turns=true&resumable=true") as socket:
            begin = json.loads(await socket.recv())
            assert list(begin) == ["id", "expires_at", "configuration", "type"]
            assert begin["configuration"]["mode"] is None
            assert begin["configuration"]["model"] == "universal-streaming-english"
            await socket.send(SONNY.audio(0, 1000))
            await socket.send('{"type": "Terminate"}')
            messages, code, reason = await hear_end(socket)
            assert messages[-1] == {
                "audio_duration_seconds": 1,
                "session_duration_seconds": 0,
                "type": "Termination",
            }
            assert (code, reason) == (1000, "Session Ended")

    run_unhurried(scene())


@pytest.mark.parametrize(
    ("query", "key", "sent", "code", "text"),
    [
        ("", "wrong", None, 1008, "Unauthorized Connection: Invalid API key"),
        ("", None, None, 1008, "Unauthorized Connection: Missing Authorization header"),
        ("sample_rate=7000", KEY, None, 3006, "Invalid 'sample_rate': sample_rate must be at least 8,000 Hz"),
        ("speech_model=x", KEY, None, 3006, "Invalid 'speech_model'"),
        ("", KEY, "{", 3006, "Invalid JSON: "),
        ("", KEY, "[]", 3006, "Invalid Message: "),
        ("", KEY, '{"type": "Sing"}', 3006, "Invalid Message Type: Sing"),
        ("", KEY, b"\0" * 38_400, 3007, "1200.0 ms. Expected between 50 and 1000 ms"),
        ("inactivity_timeout=0", KEY, None, 3006, "No messages received for 0 seconds"),
    ],
)
def test_what_is_wrong_is_told_after_the_upgrade(
    query: str, key: str | None, sent: str | bytes | None, code: int, text: str
) -> None:
    async def scene() -> None:
        async with session(query, key=key) as socket:
            if sent is not None:
                await socket.send(sent)
            messages, close_code, reason = await hear_end(socket)
            assert (messages[-1]["error_code"], close_code) == (code, code)
            assert text in messages[-1]["error"]
            assert reason == "See Error message for details"

    run_unhurried(scene())
