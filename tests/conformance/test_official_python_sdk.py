"""The official Python SDK, unmodified: only its host is changed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from assemblyai.streaming.v3 import (
    AsyncRealTimeTranscriber,
    BeginEvent,
    RealTimeError,
    RealTimeEvents,
    RealTimeParameters,
    RealTimeSessionParameters,
    RealTimeTranscriber,
    RealTimeTranscriberOptions,
    StreamingClient,
    TerminationEvent,
    TurnEvent,
)

pytestmark = pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")
"""The SDK opens its connection in a way that newer versions of `websockets` advise against."""

CHUNK = b"\0" * 1600
KINDS = (RealTimeEvents.Begin, RealTimeEvents.Turn, RealTimeEvents.Termination, RealTimeEvents.Error)


class Listener:
    """Keeps every event that the SDK gives."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.is_over = threading.Event()

    def hear(self, client: Any, event: Any) -> None:
        self.events.append(event)
        if isinstance(event, TerminationEvent | RealTimeError):
            self.is_over.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def options(address: str, key: str = "a-key") -> RealTimeTranscriberOptions:
    return RealTimeTranscriberOptions(api_key=key, api_host=f"ws://{address}")


def microphone(ms: int) -> Iterator[bytes]:
    """Audio at real time."""
    for _ in range(ms // 50):
        yield CHUNK
        time.sleep(0.05)


def connected(address: str, listener: Listener, key: str = "a-key", **parameters: Any) -> RealTimeTranscriber:
    transcriber = RealTimeTranscriber(options(address, key))
    for kind in KINDS:
        transcriber.on(kind, listener.hear)
    transcriber.connect(RealTimeParameters(sample_rate=16_000, **parameters))
    return transcriber


def assert_is_whole_conversation(listener: Listener) -> None:
    begin, *_, end = listener.events
    assert isinstance(begin, BeginEvent)
    assert isinstance(end, TerminationEvent)
    assert end.audio_duration_seconds == 2
    finals = [turn for turn in listener.of(TurnEvent) if turn.end_of_turn]
    assert [(turn.turn_is_formatted, turn.transcript) for turn in finals] == [
        (False, "hi my name is sonny"),
        (True, "Hi, my name is Sonny."),
    ]
    assert not listener.of(RealTimeError)


def test_the_synchronous_transcriber_holds_a_conversation(address: str) -> None:
    listener = Listener()
    transcriber = connected(address, listener, format_turns=True, keyterms_prompt=["Sonny"])
    transcriber.stream(microphone(2000))
    disconnected_at = time.monotonic()
    transcriber.disconnect(terminate=True)
    assert time.monotonic() - disconnected_at < 3  # its write thread looks at its queue once a second
    assert_is_whole_conversation(listener)
    partials = [turn for turn in listener.of(TurnEvent) if not turn.end_of_turn]
    assert len(partials) >= 4


def test_the_older_name_of_the_client_works(address: str) -> None:
    assert StreamingClient is RealTimeTranscriber


def test_force_endpoint_and_parameters_in_mid_session(address: str) -> None:
    listener = Listener()
    transcriber = connected(address, listener)
    transcriber.set_params(RealTimeSessionParameters(format_turns=True, max_turn_silence=2000))
    transcriber.keep_alive()
    transcriber.stream([CHUNK] * 16)
    transcriber.force_endpoint()
    transcriber.stream([CHUNK] * 24)
    transcriber.disconnect(terminate=True)
    finals = [turn.transcript for turn in listener.of(TurnEvent) if turn.turn_is_formatted]
    assert finals == ["Hi, my name", "Is Sonny."]
    assert not listener.of(RealTimeError)


def test_a_wrong_key_comes_as_one_error(address: str) -> None:
    listener = Listener()
    transcriber = connected(address, listener, key="wrong")
    assert listener.is_over.wait(5)
    transcriber.disconnect()
    (error,) = listener.events
    assert isinstance(error, RealTimeError)
    assert (error.code, str(error)) == (1008, "Unauthorized Connection: Invalid API key")


def test_a_temporary_token_opens_a_session(address: str) -> None:
    answer = httpx.get(
        f"http://{address}/v3/token", params={"expires_in_seconds": 60}, headers={"Authorization": "a-key"}
    )
    listener = Listener()
    transcriber = RealTimeTranscriber(
        RealTimeTranscriberOptions(token=answer.json()["token"], api_host=f"ws://{address}")
    )
    transcriber.on(RealTimeEvents.Termination, listener.hear)
    transcriber.connect(RealTimeParameters(sample_rate=16_000))
    transcriber.disconnect(terminate=True)
    assert listener.is_over.is_set()


def test_the_asynchronous_transcriber_holds_a_conversation(address: str) -> None:
    listener = Listener()

    async def talk() -> None:
        transcriber = AsyncRealTimeTranscriber(options(address))
        for kind in KINDS:
            transcriber.on(kind, listener.hear)
        await transcriber.connect(RealTimeParameters(sample_rate=16_000, format_turns=True))
        for _ in range(40):
            await transcriber.stream(CHUNK)
            await asyncio.sleep(0.05)
        await transcriber.disconnect(terminate=True)

    asyncio.run(talk())
    assert_is_whole_conversation(listener)
