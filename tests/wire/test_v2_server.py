"""Conversations of the legacy protocol, as a client sees them (protocol reference, section 8)."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core import effects, errors
from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.events import (
    CheckpointReached,
    ConfigurationChanged,
    EndReason,
    Heartbeat,
    SessionBegan,
    SessionEnded,
    SessionResumed,
    SilencePassed,
    SpeechStarted,
    TurnEnded,
    TurnUpdated,
)
from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.formatting.pipeline import EnglishWording
from tympan.wire.close_codes import V2_RULES, Ending, v2_ending
from tympan.wire.server_protocol import Audio, KeepAlive
from tympan.wire.v2 import messages
from tympan.wire.v2.messages import SERVER_TYPES, decode_server, encode_server, moment
from tympan.wire.v2.params import PARAMETERS, parse_query
from tympan.wire.v2.reference import render
from tympan.wire.v2.server import V2ServerProtocol, farewell, mean_confidence

NOW = 1_699_116_698.316048
CREATED = "2023-11-04T16:51:38.316048"


def said(text, *, confidence=0.9):
    """Words as a model writes them, 200 ms each, the first at 100 ms."""
    return tuple(
        Word(word, StreamMs(100 + index * 200), StreamMs(280 + index * 200), confidence)
        for index, word in enumerate(text.split())
    )


class Conversation:
    """A client that connected with a query and reads what it is sent."""

    def __init__(self, query=""):
        self.config, options = parse_query("sample_rate=16000&" + query, defaults=SessionConfig(), strict=False)
        self.server = V2ServerProtocol(self.config, options, EnglishWording(), lambda: NOW)

    def hears(self, event):
        return [json.loads(text) for text in self.server.messages_for(event)]

    def begins(self):
        return self.hears(SessionBegan("8a1c", 1_795_367_722))

    def hears_so_far(self, text, *, final=0):
        return self.hears(TurnUpdated(0, said(text), final, 0.0))

    def hears_end(self, text, formatted=None):
        words = said(text)
        event = TurnEnded(0, words, words if formatted is None else said(formatted), 0.7, EndReason.SILENT)
        return self.hears(event)


def texts(heard):
    return [(message["message_type"], message["text"]) for message in heard]


def test_the_session_begins_with_its_id_and_its_end_in_iso_time_without_zone():
    assert Conversation().begins() == [
        {"message_type": "SessionBegins", "session_id": "8a1c", "expires_at": "2026-11-22T17:15:22.000000"}
    ]


def test_a_partial_holds_all_words_in_lower_case_with_times_and_mean_confidence():
    words = (Word("Hi,", StreamMs(100), StreamMs(300), 0.5), Word("Sonny", StreamMs(320), StreamMs(450), 0.8))
    assert Conversation().hears(TurnUpdated(0, words, 1, 0.0)) == [
        {
            "message_type": "PartialTranscript",
            "audio_start": 100,
            "audio_end": 450,
            "confidence": 0.65,
            "text": "hi sonny",
            "words": [
                {"start": 100, "end": 300, "confidence": 0.5, "text": "hi"},
                {"start": 320, "end": 450, "confidence": 0.8, "text": "sonny"},
            ],
            "created": CREATED,
        }
    ]


def test_a_final_is_formatted_and_says_so():
    (final,) = Conversation().hears_end("hi sonny", "Hi, Sonny!")
    assert (final["message_type"], final["text"], final["created"]) == ("FinalTranscript", "Hi, Sonny!", CREATED)
    assert [word["text"] for word in final["words"]] == ["Hi,", "Sonny!"]
    assert (final["punctuated"], final["text_formatted"]) == (True, True)
    assert (final["audio_start"], final["audio_end"], final["confidence"]) == (100, 480, 0.9)


def test_a_final_without_formatted_words_tells_the_words_it_has():
    assert texts(Conversation().hears_end("hi", "")) == [("FinalTranscript", "Hi")]


def test_each_event_of_an_utterance_is_told_once_and_nothing_empty():
    client = Conversation()
    assert client.hears(SpeechStarted(0, StreamMs(5))) == []
    assert client.hears_so_far("") == []
    assert texts(client.hears_so_far("Hi,")) == [("PartialTranscript", "hi")]
    assert client.hears_so_far("hi", final=1) == []  # reads the same
    assert client.hears_so_far("—") == []  # nothing but punctuation
    assert texts(client.hears_so_far("Hi,")) == [("PartialTranscript", "hi")]
    assert texts(client.hears_end("Hi.")) == [("FinalTranscript", "Hi.")]
    assert texts(client.hears_so_far("hi")) == [("PartialTranscript", "hi")]


def test_what_v2_has_no_message_for_is_not_told():
    client = Conversation()
    assert client.hears(SessionResumed("8a1c", 9, 32_000, 2)) == []
    assert client.hears(CheckpointReached(32_000, StreamMs(500), 2)) == []
    assert client.hears(SilencePassed(StreamMs(0), StreamMs(900))) == []
    assert client.hears(Heartbeat(StreamMs(900), 1000, 0.9, 0.5)) == []


def test_without_partials_only_finals_are_told():
    client = Conversation("disable_partial_transcripts=True")
    assert client.hears_so_far("Hi") == []
    assert texts(client.hears_end("Hi.")) == [("FinalTranscript", "Hi.")]


def test_session_information_comes_only_when_asked_for():
    ended = SessionEnded(6.6, 8.4)
    assert Conversation().hears(ended) == [{"message_type": "SessionTerminated"}]
    assert Conversation("enable_extra_session_information=true").hears(ended) == [
        {"message_type": "SessionInformation", "audio_duration_seconds": 6.6},
        {"message_type": "SessionTerminated"},
    ]


def test_requests_become_inputs_of_the_session():
    server = Conversation().server
    assert server.receive_text('{"audio_data": "AAA="}') == Audio(b"\0\0")
    assert server.receive_text('{"terminate_session": true}') == effects.Finish()
    assert server.receive_text('{"force_end_utterance": true}') == effects.ForceEndpoint()
    assert server.receive_text('{"terminate_session": false}') == KeepAlive()
    threshold = server.receive_text('{"end_utterance_silence_threshold": 200}')
    assert threshold == ConfigUpdate(min_silence_ms=200, max_silence_ms=200)


def test_a_change_of_the_silence_keeps_turns_ending_on_silence_alone():
    client = Conversation()
    for asked_ms in (20_000, 200):
        update = client.server.receive_text(json.dumps({"end_utterance_silence_threshold": asked_ms}))
        config = update.apply_to(client.config)
        assert client.hears(ConfigurationChanged(config)) == []
        assert (config.turn.confidence_threshold, config.turn.longest_silence_ms) == (1.0, asked_ms)


def told(farewell):
    return [json.loads(text) for text in farewell.messages], farewell.code, farewell.reason


def test_who_is_refused_gets_the_error_and_the_code_alone():
    expected = ([{"error": "Not Authorized: Invalid API key"}], 4001, "Not Authorized")
    assert told(farewell(errors.Unauthorized("Invalid API key"))) == expected
    assert told(Conversation().server.farewell(errors.Unauthorized("Invalid API key"))) == expected


def test_a_session_that_is_ended_by_an_error_is_terminated_too():
    client = Conversation()
    client.begins()
    assert told(client.server.farewell(errors.MaxDurationExceeded("x"))) == (
        [{"error": "Session Expired"}, {"message_type": "SessionTerminated"}],
        4008,
        "Session Expired",
    )


def test_a_graceful_end_says_nothing_twice():
    client = Conversation()
    client.begins()
    assert told(client.server.farewell(None)) == ([], 1000, "")


BY_ERROR = [
    (errors.TooManySessions(), 4102, "This account has exceeded the number of allowed streams"),
    (errors.AudioTooFast("why"), 4029, "Client sent audio too fast: why"),
    (errors.ChunkTooShort("why"), 4032, "Audio duration is too short: why"),
    (errors.ChunkTooLong("why"), 4033, "Audio duration is too long: why"),
    (errors.Inactive("why"), 4031, "Session idle for too long: why"),
    (errors.ServerStopping("why"), 1013, "Temporary server condition forced blocking client's request: why"),
    (errors.EngineError("moonshine", "secret"), 1011, "An error occurred"),
    (ValueError("secret"), 1011, "An error occurred"),
]


@pytest.mark.parametrize(("error", "code", "text"), BY_ERROR, ids=lambda value: type(value).__name__)
def test_an_error_ends_the_connection_with_its_code_and_text(error, code, text):
    assert v2_ending(error) == Ending(code, text.removesuffix(": why"), text)


def test_every_reason_fits_a_close_message():
    assert all(len(v2_ending(rule.error_type("x", "y")).reason) <= 123 for rule in V2_RULES if rule.parameter)
    assert all(len(rule.text) <= 123 for rule in V2_RULES)


def test_a_transcript_without_words_has_no_confidence():
    assert mean_confidence([]) == 0.0


moments = st.floats(0, 4e9).map(moment)
words = st.builds(messages.Word, st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0, 1), st.text())
transcript = {
    "audio_start": st.integers(0, 10**9),
    "audio_end": st.integers(0, 10**9),
    "confidence": st.floats(0, 1),
    "text": st.text(),
    "words": st.lists(words, max_size=4).map(tuple),
    "created": moments,
}
server_messages = st.one_of(
    st.builds(messages.SessionBegins, st.uuids(version=4).map(str), moments),
    st.builds(messages.PartialTranscript, **transcript),
    st.builds(messages.FinalTranscript, **transcript, punctuated=st.booleans(), text_formatted=st.booleans()),
    st.builds(messages.SessionInformation, st.floats(0, 1e6)),
    st.just(messages.SessionTerminated()),
    st.builds(messages.Error, st.text()),
)


@given(server_messages)
def test_a_server_message_comes_back_from_the_wire_as_it_was(message):
    assert decode_server(encode_server(message)) == message


@given(st.text() | st.binary())
def test_any_text_of_a_server_is_a_message_or_a_typed_error(text):
    with suppress(errors.ProtocolError):
        assert decode_server(encode_server(decode_server(text))) == decode_server(text)


def test_a_message_of_an_unknown_type_is_a_typed_error():
    with pytest.raises(errors.UnknownMessageType):
        decode_server(json.dumps({"message_type": str(uuid.UUID(int=0))}))


def test_the_reference_names_every_parameter_message_and_code():
    page = render()
    for name in (*(p.name for p in PARAMETERS), *(str(rule.code) for rule in V2_RULES)):
        assert name in page
    for name in (*SERVER_TYPES, "Error"):
        assert f"\n### {name}\n" in page
    widths = {line.count("|") for line in page.splitlines() if line.startswith("|")}
    assert widths == {2 + 1, 3 + 1, 4 + 1, 5 + 1}
