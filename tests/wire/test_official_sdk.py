"""The official SDK's models accept every message that we send, and we accept every one of its own."""

from __future__ import annotations

import json

import pytest

from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.errors import Unauthorized
from tympan.core.events import (
    EndReason,
    Heartbeat,
    SessionBegan,
    SessionEnded,
    SilencePassed,
    SpeechStarted,
    TurnEnded,
    TurnUpdated,
)
from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.formatting.pipeline import EnglishWording
from tympan.wire.v3.params import parse_query
from tympan.wire.v3.server import V3ServerProtocol, farewell

models = pytest.importorskip("assemblyai.streaming.v3.models")

WORDS = (Word("Hello,", StreamMs(10), StreamMs(400), 0.9), Word("you.", StreamMs(400), StreamMs(700), 1))
EVENTS = [
    (SessionBegan("8a1c", 1_795_367_722), "BeginEvent"),
    (TurnUpdated(0, WORDS, 1, 0), "TurnEvent"),
    (TurnEnded(0, WORDS, WORDS, 0.5, EndReason.SILENT), "TurnEvent"),
    (SessionEnded(7, 7), "TerminationEvent"),
]


U3_EVENTS = [
    (SpeechStarted(0, StreamMs(10), 0.9), "SpeechStartedEvent"),
    (SilencePassed(StreamMs(0), StreamMs(1000)), "SilenceEvent"),
    (Heartbeat(StreamMs(5000), 5000, 1, 0), "HeartbeatEvent"),
]


def serving(query):
    return V3ServerProtocol(*parse_query(query, defaults=SessionConfig(), strict=False), EnglishWording())


@pytest.fixture
def server():
    return serving("format_turns=True")


@pytest.mark.parametrize(("event", "model"), [*EVENTS, *U3_EVENTS])
def test_the_sdk_reads_each_message_of_a_u3_model(event, model):
    texts = serving("speech_model=u3-rt-pro&language_detection=true").messages_for(event)
    assert len(texts) == 1
    getattr(models, model).model_validate_json(texts[0], strict=False)


@pytest.mark.parametrize(("event", "model"), EVENTS)
def test_the_sdk_reads_each_message(server, event, model):
    texts = server.messages_for(event)
    assert texts
    for text in texts:
        getattr(models, model).model_validate_json(text, strict=False)


def test_the_sdk_reads_an_error():
    error = models.ErrorEvent.model_validate_json(farewell(Unauthorized("Invalid API key")).messages[0])
    assert (error.error_code, error.error) == (1008, "Unauthorized Connection: Invalid API key")


def test_an_update_as_the_sdk_writes_it_is_understood(server):
    update = models.UpdateConfiguration(min_turn_silence=100, format_turns=True)
    assert server.receive_text(json.dumps(update.model_dump(exclude_none=True))) == ConfigUpdate(
        min_silence_ms=100, format_turns=True
    )
    assert server.receive_text(update.model_dump_json()) == ConfigUpdate(min_silence_ms=100, format_turns=True)
