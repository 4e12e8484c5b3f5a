"""The official Python SDK, unmodified: only its host is changed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from assemblyai.streaming.v3 import (
    AsyncChannelStreamer,
    AsyncRealTimeTranscriber,
    BeginEvent,
    ChannelStreamer,
    DualChannelTurnEvent,
    Encoding,
    RealTimeError,
    RealTimeEvents,
    RealTimeParameters,
    RealTimeSessionParameters,
    RealTimeTranscriber,
    RealTimeTranscriberOptions,
    SilenceEvent,
    SpeechModel,
    SpeechStartedEvent,
    StreamingClient,
    StreamingMode,
    TerminationEvent,
    TurnEvent,
)
from services import SecureService

from compressed_streams import cut
from encoded_audio import ogg_opus

pytestmark = pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")
"""The SDK opens its connection in a way that newer versions of `websockets` advise against."""

CHUNK = b"\0" * 1600
HUM = (b"\x00\x20" * 40 + b"\x00\xe0" * 40) * 10
PATIENCE_S = 60.0
"""For what the SDK would give up after a second or five: a busy machine may take longer."""
KINDS = (
    RealTimeEvents.Begin,
    RealTimeEvents.SpeechStarted,
    RealTimeEvents.Turn,
    RealTimeEvents.Silence,
    RealTimeEvents.Termination,
    RealTimeEvents.Error,
)


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


def options(host: str, **credential: str) -> RealTimeTranscriberOptions:
    return RealTimeTranscriberOptions(
        **(credential or {"api_key": "a-key"}),
        api_host=host,
        connect_timeout=PATIENCE_S,
        terminate_timeout=PATIENCE_S,
    )


def microphone(ms: int) -> Iterator[bytes]:
    """Audio at real time."""
    for _ in range(ms // 50):
        yield CHUNK
        time.sleep(0.05)


def connected(address: str, listener: Listener, key: str = "a-key", **parameters: Any) -> RealTimeTranscriber:
    transcriber = RealTimeTranscriber(options(f"ws://{address}", api_key=key))
    for kind in KINDS:
        transcriber.on(kind, listener.hear)
    transcriber.connect(RealTimeParameters(**{"sample_rate": 16_000, **parameters}))
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
    transcriber.disconnect(terminate=True)
    assert_is_whole_conversation(listener)
    partials = [turn for turn in listener.of(TurnEvent) if not turn.end_of_turn]
    assert len(partials) >= 4


def test_compressed_audio_is_heard_without_a_sample_rate(address: str) -> None:
    listener = Listener()
    transcriber = connected(address, listener, format_turns=True, encoding=Encoding.ogg_opus, sample_rate=None)
    transcriber.stream(cut(ogg_opus(np.zeros(32_000, dtype=np.int16)), [64]))
    transcriber.disconnect(terminate=True)
    assert_is_whole_conversation(listener)


def test_the_older_name_of_the_client_works(address: str) -> None:
    assert StreamingClient is RealTimeTranscriber


def assert_its_end_was_forced(listener: Listener) -> None:
    finals = [turn.transcript for turn in listener.of(TurnEvent) if turn.turn_is_formatted]
    assert finals == ["Hi, my name", "Is Sonny."]
    assert not listener.of(RealTimeError)


def test_force_endpoint_and_parameters_in_mid_session(address: str) -> None:
    listener = Listener()
    transcriber = connected(address, listener)
    transcriber.set_params(RealTimeSessionParameters(format_turns=True, max_turn_silence=2000))
    transcriber.keep_alive()
    transcriber.stream([CHUNK] * 16)
    transcriber.force_endpoint()
    transcriber.stream([CHUNK] * 24)
    transcriber.disconnect(terminate=True)
    assert_its_end_was_forced(listener)


def test_a_wrong_key_comes_as_one_error(address: str) -> None:
    listener = Listener()
    transcriber = connected(address, listener, key="wrong")
    assert listener.is_over.wait(PATIENCE_S)
    transcriber.disconnect()
    (error,) = listener.events
    assert isinstance(error, RealTimeError)
    assert (error.code, str(error)) == (1008, "Unauthorized Connection: Invalid API key")


def test_a_temporary_token_opens_a_session(address: str) -> None:
    answer = httpx.get(
        f"http://{address}/v3/token", params={"expires_in_seconds": 60}, headers={"Authorization": "a-key"}
    )
    listener = Listener()
    transcriber = RealTimeTranscriber(options(f"ws://{address}", token=answer.json()["token"]))
    transcriber.on(RealTimeEvents.Termination, listener.hear)
    transcriber.connect(RealTimeParameters(sample_rate=16_000))
    transcriber.disconnect(terminate=True)
    assert listener.is_over.is_set()


def test_a_token_that_the_sdk_makes_opens_a_session(secure: SecureService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in secure.trust.items():
        monkeypatch.setenv(name, value)
    minting = RealTimeTranscriber(options(secure.address))
    token = minting.create_temporary_token(expires_in_seconds=60, max_session_duration_seconds=120)
    minting._client._http_client.close()  # it never does, and Python would tell of the open socket
    listener = Listener()
    transcriber = RealTimeTranscriber(options(secure.address, token=token))
    for kind in KINDS:
        transcriber.on(kind, listener.hear)
    transcriber.connect(RealTimeParameters(sample_rate=16_000))
    transcriber.stream([CHUNK] * 40)
    transcriber.disconnect(terminate=True)
    assert [turn.transcript for turn in listener.of(TurnEvent) if turn.end_of_turn] == ["hi my name is sonny"]
    assert not listener.of(RealTimeError)


def test_a_token_that_the_asynchronous_sdk_makes_opens_a_session(
    secure: SecureService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in secure.trust.items():
        monkeypatch.setenv(name, value)
    listener = Listener()

    async def talk() -> None:
        async with AsyncRealTimeTranscriber(options(secure.address)) as minting:
            token = await minting.create_temporary_token(expires_in_seconds=60)
        transcriber = AsyncRealTimeTranscriber(options(secure.address, token=token))
        for kind in KINDS:
            transcriber.on(kind, listener.hear)
        await transcriber.connect(RealTimeParameters(sample_rate=16_000))
        await transcriber.stream([CHUNK] * 40)
        await transcriber.disconnect(terminate=True)

    asyncio.run(talk())
    assert [turn.transcript for turn in listener.of(TurnEvent) if turn.end_of_turn] == ["hi my name is sonny"]
    assert not listener.of(RealTimeError)


def assert_the_caller_has_spoken(turns: list[DualChannelTurnEvent]) -> None:
    finals = [turn for turn in turns if turn.end_of_turn]
    assert [turn.transcript for turn in finals] == ["hi my name is sonny", "Hi, my name is Sonny."]
    assert [turn.channel for turn in finals] == ["caller", "caller"]
    assert {word.channel for turn in finals for word in turn.words} == {"caller"}


def test_two_channels_are_told_apart(address: str) -> None:
    turns: list[DualChannelTurnEvent] = []
    transcriber = RealTimeTranscriber(options(f"ws://{address}"))
    streamer = ChannelStreamer(transcriber, ["agent", "caller"], sample_rate=16_000)
    streamer.on(RealTimeEvents.Turn, lambda client, turn: turns.append(turn))
    transcriber.connect(RealTimeParameters(sample_rate=16_000, format_turns=True))
    for _ in range(40):
        streamer.stream("agent", CHUNK)
        streamer.stream("caller", HUM)
    streamer.flush()
    transcriber.disconnect(terminate=True)
    assert_the_caller_has_spoken(turns)


def test_two_channels_of_the_asynchronous_transcriber_are_told_apart(address: str) -> None:
    turns: list[DualChannelTurnEvent] = []

    async def talk() -> None:
        transcriber = AsyncRealTimeTranscriber(options(f"ws://{address}"))
        streamer = AsyncChannelStreamer(transcriber, ["agent", "caller"], sample_rate=16_000)
        streamer.on(RealTimeEvents.Turn, lambda client, turn: turns.append(turn))
        await transcriber.connect(RealTimeParameters(sample_rate=16_000, format_turns=True))
        for _ in range(40):
            await streamer.stream("agent", CHUNK)
            await streamer.stream("caller", HUM)
        await streamer.flush()
        await transcriber.disconnect(terminate=True)

    asyncio.run(talk())
    assert_the_caller_has_spoken(turns)


def test_the_asynchronous_transcriber_holds_a_conversation(address: str) -> None:
    listener = Listener()

    async def talk() -> None:
        transcriber = AsyncRealTimeTranscriber(options(f"ws://{address}"))
        for kind in KINDS:
            transcriber.on(kind, listener.hear)
        await transcriber.connect(RealTimeParameters(sample_rate=16_000, format_turns=True))
        for _ in range(40):
            await transcriber.stream(CHUNK)
            await asyncio.sleep(0.05)
        await transcriber.disconnect(terminate=True)

    asyncio.run(talk())
    assert_is_whole_conversation(listener)


def test_the_asynchronous_transcriber_changes_parameters_and_forces_an_end(address: str) -> None:
    listener = Listener()

    async def talk() -> None:
        transcriber = AsyncRealTimeTranscriber(options(f"ws://{address}"))
        for kind in KINDS:
            transcriber.on(kind, listener.hear)
        await transcriber.connect(RealTimeParameters(sample_rate=16_000))
        await transcriber.set_params(RealTimeSessionParameters(format_turns=True, max_turn_silence=2000))
        await transcriber.keep_alive()
        await transcriber.stream([CHUNK] * 16)
        await transcriber.force_endpoint()
        await transcriber.stream([CHUNK] * 24)
        await transcriber.disconnect(terminate=True)

    asyncio.run(talk())
    assert_its_end_was_forced(listener)


def test_a_u3_model_announces_speech_and_ends_a_turn_once(address: str) -> None:
    listener = Listener()
    transcriber = connected(
        address,
        listener,
        speech_model=SpeechModel.universal_3_6_pro,
        mode=StreamingMode.balanced,
        acknowledge_silence=True,
        language_detection=True,
        agent_context="What is your name?",
    )
    transcriber.set_params(RealTimeSessionParameters(prompt="A first name.", interruption_delay=0))
    transcriber.stream([CHUNK] * 50)
    transcriber.disconnect(terminate=True)
    begin, *told, end = listener.events
    assert begin.configuration.mode == "balanced"
    assert isinstance(end, TerminationEvent)
    started, *turns = [event for event in told if not isinstance(event, SilenceEvent)]
    assert isinstance(started, SpeechStartedEvent)
    assert started.timestamp == 100
    *partials, final = turns
    assert partials
    assert not any(turn.end_of_turn or turn.turn_is_formatted for turn in partials)
    assert not any(word.word_is_final for turn in partials for word in turn.words)
    assert (final.end_of_turn, final.turn_is_formatted, final.transcript) == (True, True, "Hi, my name is Sonny.")
    assert all(word.word_is_final for word in final.words)
    assert (final.language_code, final.end_of_turn_confidence) == ("en", 1.0)
    assert [(silence.start_ms, silence.end_ms) for silence in listener.of(SilenceEvent)] == [(1400, 2400)]


def test_a_u3_turn_may_be_forced_and_its_rest_is_told_at_the_end(address: str) -> None:
    listener = Listener()
    transcriber = connected(
        address, listener, speech_model=SpeechModel.u3_rt_pro, min_turn_silence=100, max_turn_silence=100
    )
    transcriber.stream([CHUNK] * 14)
    transcriber.force_endpoint()
    transcriber.stream([CHUNK] * 14)
    transcriber.disconnect(terminate=True)
    finals = [turn.transcript for turn in listener.of(TurnEvent) if turn.end_of_turn]
    assert finals == ["Hi, my name", "Is Sonny."]
    assert len(listener.of(SpeechStartedEvent)) == 2
    assert not listener.of(RealTimeError)


def test_a_context_that_is_too_long_comes_as_one_error(address: str) -> None:
    listener = Listener()
    transcriber = connected(address, listener, speech_model=SpeechModel.u3_rt_pro)
    transcriber.set_params(RealTimeSessionParameters(agent_context="a" * 1751))
    assert listener.is_over.wait(PATIENCE_S)
    transcriber.disconnect()
    (error,) = listener.of(RealTimeError)
    assert error.code == 3006
