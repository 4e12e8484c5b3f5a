"""A v2 client on a v3 service: what each is told of the other."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.audio import AudioFormat
from tympan.core.config import SessionConfig
from tympan.core.errors import BadParameter, ChunkTooLong, ProtocolError, TooManySessions
from tympan.core.events import EndReason, SessionBegan, SessionEnded, SpeechStarted, TurnEnded, TurnUpdated
from tympan.core.units import Monotonic, StreamMs
from tympan.core.words import Word
from tympan.formatting.pipeline import EnglishWording
from tympan.wire import bridge_reference
from tympan.wire.bridge import NO_COUNTERPART, BridgedSession, refused
from tympan.wire.bridge_parameters import bridge_request
from tympan.wire.close_codes import BRIDGE_RULES, Ending, bridge_ending, v2_ending
from tympan.wire.v2 import params as v2_params
from tympan.wire.v2.client_messages import (
    AudioData,
    EndUtteranceSilenceThreshold,
    ForceEndUtterance,
    NothingAsked,
    encode_client,
)
from tympan.wire.v2.server import V2ServerProtocol
from tympan.wire.v3 import messages as v3
from tympan.wire.v3.client import build_query, decode_message
from tympan.wire.v3.params import parse_query
from tympan.wire.v3.server import V3ServerProtocol

NOW = 1_699_116_698.25
OWN_ID = "0b7a4d1e-1111-4222-8333-444455556666"
MS = 32  # bytes of 16 kHz PCM16


def at(seconds):
    return Monotonic(float(seconds))


def bridged(*, wants_information=False):
    return BridgedSession(AudioFormat(), wants_information=wants_information, own_id=OWN_ID, unix_clock=lambda: NOW)


def turn(text, order=0, *, ends=False, formatted=False):
    words = tuple(v3.Word(index * 200, index * 200 + 180, 0.5, word, ends) for index, word in enumerate(text.split()))
    return v3.Turn(order, formatted, ends, text if ends else "", 0.7, words)


def shown(texts):
    """Type and text of each message."""
    return [(message["message_type"], message.get("text")) for message in map(json.loads, texts)]


def begun(**options):
    session = bridged(**options)
    session.begin(v3.Begin(OWN_ID, 1_795_367_722))
    return session


class TestUpstream:
    """What the service is told."""

    def test_audio_and_controls_keep_their_order(self):
        session = bridged()
        sent = session.receive_audio(b"a" * (70 * MS))
        sent += session.receive_text(json.dumps({"audio_data": base64.b64encode(b"b" * (20 * MS)).decode()}))
        sent += session.receive_text('{"force_end_utterance": true}')
        sent += session.receive_text('{"end_utterance_silence_threshold": 300}')
        sent += session.receive_audio(b"c" * (10 * MS))
        sent += session.receive_text('{"terminate_session": true}')
        assert sent == [
            b"a" * (70 * MS),
            b"b" * (20 * MS),
            v3.ForceEndpoint(),
            v3.UpdateConfiguration(min_turn_silence=300, max_turn_silence=300, end_of_turn_confidence_threshold=1.0),
            b"c" * (10 * MS),
            v3.Terminate(),
        ]
        assert session.received_s == 0.1

    def test_after_the_end_nothing_more_is_said(self):
        session = bridged()
        session.terminate()
        assert session.terminate() == []
        assert session.receive_audio(b"a" * 3200) == []
        assert session.receive_text("nonsense") == []

    def test_a_silence_of_0_is_the_shortest_there_is(self):
        (update,) = bridged().receive_text('{"end_utterance_silence_threshold": 0}')
        assert (update.min_turn_silence, update.max_turn_silence) == (1, 1)

    def test_a_flag_that_is_false_says_nothing(self):
        assert bridged().receive_text('{"terminate_session": false}') == []

    def test_too_much_audio_in_one_message_is_a_typed_error(self):
        assert bridged().receive_audio(b"\0" * (10_000 * MS))
        with pytest.raises(ChunkTooLong, match=r"10000\.1 ms"):
            bridged().receive_audio(b"\0" * (10_000 * MS + 2))

    @pytest.mark.parametrize("text", ["nonsense", "[]", '{"audio_data": "a"}'])
    def test_nonsense_is_a_typed_error(self, text):
        with pytest.raises(ProtocolError):
            bridged().receive_text(text)


client_messages = st.one_of(
    st.builds(AudioData, st.binary(max_size=5000)),
    st.builds(EndUtteranceSilenceThreshold, st.integers(0, 20_000)),
    st.sampled_from([ForceEndUtterance(), NothingAsked()]),
)


@given(st.lists(client_messages, max_size=8))
def test_every_control_stands_where_the_client_gave_it(conversation):
    session = bridged()
    sent = [item for message in conversation for item in session.receive_text(encode_client(message))]
    sent += session.terminate()

    def positions(items, is_control, size):
        at_byte, found = 0, []
        for item in items:
            if is_control(item):
                found.append(at_byte // 2)
            at_byte += size(item)
        return found, at_byte // 2

    given_at, given_samples = positions(
        conversation,
        lambda message: isinstance(message, ForceEndUtterance | EndUtteranceSilenceThreshold),
        lambda message: len(message.payload) if isinstance(message, AudioData) else 0,
    )
    sent_at, sent_samples = positions(
        sent[:-1], lambda item: not isinstance(item, bytes), lambda item: len(item) if isinstance(item, bytes) else 0
    )
    assert sent[-1] == v3.Terminate()
    assert (sent_at, sent_samples) == (given_at, given_samples)


class TestParameters:
    def test_the_service_is_asked_for_formatted_turns_that_end_on_silence_alone(self):
        request = bridge_request("sample_rate=8000&encoding=pcm_mulaw&disable_partial_transcripts=True&token=secret")
        assert dict(request.parameters) == {
            "sample_rate": 8000,
            "encoding": "pcm_mulaw",
            "speech_model": "universal-streaming-english",
            "format_turns": True,
            "end_of_turn_confidence_threshold": 1.0,
            "min_turn_silence": 400,
            "max_turn_silence": 700,
            "include_partial_turns": False,
        }

    def test_boosted_words_become_key_terms_as_far_as_v3_takes_them(self):
        words = ["fine", "", "x" * 51, *(f"word{index}" for index in range(150))]
        request = bridge_request(urlencode({"sample_rate": 16000, "word_boost": json.dumps(words)}))
        terms = request.parameters["keyterms_prompt"]
        assert terms == ("fine", *(f"word{index}" for index in range(99)))
        assert request.left_out_terms == 53

    def test_what_is_asked_is_what_our_own_server_does_for_v2(self):
        query = "sample_rate=16000&disable_partial_transcripts=true"
        asked, _ = v2_params.parse_query(query, defaults=SessionConfig(), strict=True)
        upstream = build_query(bridge_request(query).parameters)
        served, _ = parse_query(upstream, defaults=SessionConfig(), strict=True)
        assert served == replace(asked, limits=served.limits)

    def test_a_bad_parameter_is_a_typed_error(self):
        with pytest.raises(BadParameter):
            bridge_request("sample_rate=x")


class TestDownstream:
    """What the client is told."""

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ("2c3a8c5f-1f5b-4c8e-9d3a-0123456789ab", "2c3a8c5f-1f5b-4c8e-9d3a-0123456789ab"),
            ("2c3a8c5f-1f5b-1c8e-9d3a-0123456789ab", OWN_ID),
            ("no-uuid", OWN_ID),
        ],
    )
    def test_the_session_id_is_the_services_if_old_clients_can_read_it(self, given, told):
        (text,) = bridged().begin(v3.Begin(given, 1_795_367_722))
        assert json.loads(text)["session_id"] == told
        assert json.loads(text)["expires_at"] == "2026-11-22T17:15:22.000000"

    def test_a_formatted_final_replaces_the_raw_one(self):
        session = begun()
        assert shown(session.receive_turn(turn("hi"), at(0))) == [("PartialTranscript", "hi")]
        assert session.receive_turn(turn("hi"), at(0)) == ()
        assert session.receive_turn(turn(""), at(0)) == ()
        assert session.receive_turn(turn("hi sonny", ends=True), at(0)) == ()
        told = session.receive_turn(turn("Hi Sonny.", ends=True, formatted=True), at(0.1))
        assert shown(told) == [("FinalTranscript", "Hi Sonny.")]
        final = json.loads(told[0])
        assert (final["audio_start"], final["audio_end"], final["confidence"]) == (0, 380, 0.5)
        assert (final["punctuated"], final["text_formatted"]) == (True, True)
        assert session.deadline() is None

    def test_a_raw_final_is_told_when_no_formatted_one_comes(self):
        session = begun()
        session.receive_turn(turn("hi", ends=True), at(5))
        assert session.deadline() == 6
        assert session.advance(at(5.9)) == ()
        told = session.advance(at(6))
        assert shown(told) == [("FinalTranscript", "hi")]
        assert json.loads(told[0])["punctuated"] is False
        assert session.receive_turn(turn("Hi.", ends=True, formatted=True), at(7)) == ()  # told already

    def test_a_raw_final_is_told_before_the_next_turn_and_before_the_end(self):
        session = begun()
        session.receive_turn(turn("one", ends=True), at(0))
        told = session.receive_turn(turn("two", 1), at(0))
        assert shown(told) == [("FinalTranscript", "one"), ("PartialTranscript", "two")]
        session.receive_turn(turn("two", 1, ends=True), at(0))
        assert shown(session.over()) == [("FinalTranscript", "two"), ("SessionTerminated", None)]

    def test_a_final_that_says_nothing_is_not_told(self):
        session = begun()
        assert session.receive_turn(turn("", ends=True, formatted=True), at(0)) == ()

    def test_a_final_without_words_spans_the_audio_since_the_utterance_before(self):
        session = begun()
        session.receive_audio(b"\0" * (900 * MS))
        session.receive_turn(turn("One.", ends=True, formatted=True), at(0))
        wordless = replace(turn("Two.", 1, ends=True, formatted=True), words=())
        (told,) = session.receive_turn(wordless, at(0))
        final = json.loads(told)
        assert (final["audio_start"], final["audio_end"], final["confidence"]) == (180, 900, 0.0)

    def test_session_information_counts_the_audio_and_comes_only_when_asked_for(self):
        session = begun(wants_information=True)
        session.receive_audio(b"\0" * (1234 * MS))
        information, terminated = map(json.loads, session.over())
        assert information == {"message_type": "SessionInformation", "audio_duration_seconds": 1.234}
        assert terminated == {"message_type": "SessionTerminated"}

    def test_an_error_is_told_after_all_words_and_before_the_end_of_the_session(self):
        session = begun()
        session.receive_turn(turn("hi", ends=True), at(0))
        farewell = session.farewell(bridge_ending(3008, "x"))
        assert [json.loads(text).get("message_type", "error") for text in farewell.messages] == [
            "FinalTranscript",
            "error",
            "SessionTerminated",
        ]
        assert (farewell.code, farewell.reason) == (4008, "Session Expired")

    def test_a_session_that_never_began_is_not_terminated(self):
        farewell = bridged().farewell(bridge_ending(3009, "x"))
        assert [json.loads(text) for text in farewell.messages] == [
            {"error": "This account has exceeded the number of allowed streams"}
        ]

    def test_a_graceful_end_says_nothing_more(self):
        assert begun().farewell(v2_ending(None)).messages == ()


def test_who_is_refused_by_the_bridge_itself_gets_the_error_alone():
    farewell = refused(TooManySessions())
    assert (len(farewell.messages), farewell.code) == (1, 4102)
    assert refused(None).messages == ()


@pytest.mark.parametrize(
    ("code", "text", "ending"),
    [
        (1008, "secret", (4001, "Not Authorized")),
        (
            1008,
            "Unauthorized Connection: Too many new sessions: x",
            (4102, "This account has exceeded the number of allowed streams"),
        ),
        (3006, "Session terminated due to inactivity: x", (4031, "Session idle for too long")),
        (3006, "Invalid 'sample_rate': x", (4000, "Sample rate must be a positive integer")),
        (3006, "Invalid 'keyterms_prompt': x", (4104, "Could not parse word boost parameter")),
        (3006, "x", (4101, "Endpoint received a message with an invalid schema")),
        (3007, "Audio Transmission Rate Exceeded: x", (4029, "Client sent audio too fast")),
        (3007, "Input Duration Error: x", (4033, "Audio duration is too long")),
        (3008, "x", (4008, "Session Expired")),
        (3009, "x", (4102, "This account has exceeded the number of allowed streams")),
        (3005, "secret", (1011, "An error occurred")),
        (1011, "x", (1011, "An error occurred")),
        (4999, "x", (1011, "An error occurred")),
        (1006, "x", (1013, "Temporary server condition forced blocking client's request")),
        (None, "x", (1013, "Temporary server condition forced blocking client's request")),
    ],
)
def test_the_end_of_the_service_is_told_in_the_words_of_v2(code, text, ending):
    made = bridge_ending(code, text)
    assert (made.code, made.reason) == ending
    assert made.error is not None
    assert made.error.startswith(ending[1])
    assert "secret" not in made.error
    assert isinstance(made, Ending)


def test_the_reference_holds_every_rule_and_everything_without_a_counterpart():
    page = bridge_reference.render()
    for rule in BRIDGE_RULES:
        assert f"| {rule.upstream_code} | {rule.holds} | {rule.code} |" in page
    for what in NO_COUNTERPART:
        assert what.split(",")[0] in page
    assert {line.count("|") for line in page.splitlines() if line.startswith("|")} == {3, 4, 5}


# Through v3 and the bridge a client hears what our own v2 tells it.

texts = st.text(alphabet="aB.'5—", min_size=1, max_size=4)


@st.composite
def conversations(draw):
    """Events of a session: turns that grow word by word, are corrected at the end, and end."""
    events = [SessionBegan(OWN_ID, 1_795_367_722)]
    now_ms = 0
    for order in range(draw(st.integers(0, 3))):
        words = []
        events.append(SpeechStarted(order, StreamMs(now_ms)))
        for text in draw(st.lists(texts, min_size=1, max_size=4)):
            start_ms = now_ms + draw(st.integers(0, 400))
            now_ms = start_ms + draw(st.integers(0, 400))
            words.append(Word(text, StreamMs(start_ms), StreamMs(now_ms), draw(st.floats(0, 1))))
            final_count = draw(st.integers(0, len(words)))
            events.append(TurnUpdated(order, tuple(words), final_count, 0.0))
        formatted = tuple(replace(word, text=word.text + draw(st.sampled_from(["", "!"]))) for word in words)
        events.append(TurnEnded(order, tuple(words), formatted, 0.5, EndReason.SILENT))
    return [*events, SessionEnded(1.0, 1.0)]


def told_by_v2(events, query):
    protocol = V2ServerProtocol(
        *v2_params.parse_query(query, defaults=SessionConfig(), strict=False), EnglishWording(), lambda: NOW
    )
    return [json.loads(text) for event in events for text in protocol.messages_for(event)]


def told_by_the_bridge(events, query):
    request = bridge_request(query)
    config, options = parse_query(build_query(request.parameters), defaults=SessionConfig(), strict=True)
    service = V3ServerProtocol(config, options, EnglishWording())
    session = bridged(wants_information=request.wants_information)
    told = []
    for message in (decode_message(text) for event in events for text in service.messages_for(event)):
        if isinstance(message, v3.Begin):
            told += session.begin(message)
        elif isinstance(message, v3.Turn):
            told += session.receive_turn(message, at(0))
        else:
            told += session.over()
    return [json.loads(text) for text in told]


def essence(messages):
    """Words, order and times of every message that says something; the words of the rest have no text."""
    return [
        (message["message_type"], message["text"], [(w["text"], w["start"], w["end"]) for w in message["words"]])
        if "words" in message
        else message["message_type"]
        for message in messages
        if message.get("text", "-")
    ]


@given(conversations(), st.sampled_from(["", "&disable_partial_transcripts=true"]))
def test_through_v3_and_the_bridge_words_order_and_times_are_those_of_our_own_v2(events, query):
    query = "sample_rate=16000" + query
    assert essence(told_by_the_bridge(events, query)) == essence(told_by_v2(events, query))
