"""Conversations of the U3 profile, as a client sees them (protocol reference, sections 4 to 6)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_server import Conversation, all_shown, said

from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.errors import BadParameter
from tympan.core.events import EndReason, Heartbeat, SessionEnded, SilencePassed, SpeechStarted, TurnEnded, TurnUpdated
from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.formatting.pipeline import EnglishWording
from tympan.wire.v3.params import parse_query
from tympan.wire.v3.server import V3ServerProtocol

U3 = "speech_model=universal-3-6-pro"


def whole(text):
    return TurnEnded(0, said(text), said(text), 0.7, EndReason.CONFIDENT, said(text))


def test_a_conversation_reads_as_the_protocol_says():
    client = Conversation(U3)
    assert client.begins()[0]["configuration"]["mode"] == "balanced"
    assert client.hears(SpeechStarted(0, StreamMs(1216), 0.98)) == [
        {"type": "SpeechStarted", "timestamp": 1216, "confidence": 0.98}
    ]
    assert all_shown(client.hears_so_far("My name is.", final=0)) == ["0 -- [My name is—] [My* name* is—*] []"]
    assert all_shown(client.hears(whole("My name is Sonny."))) == [
        "0 EF [My name is Sonny.] [My name is Sonny.] [My name is Sonny.]"
    ]
    assert client.hears(SessionEnded(7, 8))[0]["type"] == "Termination"


def test_begin_tells_the_mode_and_the_model():
    (begin,) = Conversation("speech_model=u3-rt-pro&mode=min_latency&filter_profanity=true").begins()
    assert begin["configuration"] == {
        "model": "u3-rt-pro",
        "mode": "min_latency",
        "api_version": "2025-05-12",
        "speaker_labels": False,
        "redact_pii": False,
        "filter_profanity": True,
    }


def test_format_turns_changes_nothing():
    client = Conversation(f"{U3}&format_turns=true&formatted_finals=true")
    client.changes(format_turns=True)
    assert len(client.hears(whole("Yes."))) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my name is", "My name is—"),
        ("My name is.", "My name is—"),
        ("Well,", "Well—"),
        ("So...", "So—"),
        ("Really?", "Really?"),
        ("No!", "No!"),
        ("-", "-"),
    ],
)
def test_a_partial_ends_in_a_dash_unless_it_asks_or_cries(text, shown):
    (turn,) = Conversation(U3).hears_so_far(text, final=0)
    assert turn["transcript"] == " ".join(word["text"] for word in turn["words"]) == shown


def test_the_confidence_rises_in_partials_and_is_one_at_the_end():
    client = Conversation(U3)
    (open_turn,) = client.hears_so_far("Yes", final=0, confidence=0.3)
    (ended,) = client.hears(whole("Yes."))
    assert (open_turn["end_of_turn_confidence"], ended["end_of_turn_confidence"]) == (0.3, 1.0)


def test_a_partial_that_reads_like_the_last_is_sent_because_the_pause_is_news():
    client = Conversation(U3)
    assert len(client.hears_so_far("Hi", final=0) + client.hears_so_far("Hi", final=0, confidence=0.2)) == 2


def test_words_that_vanish_are_taken_back():
    assert all_shown(Conversation(U3).hears_so_far("", final=0)) == ["0 -- [] [] []"]


def test_a_turn_is_never_lost_because_its_formatted_words_are_missing():
    event = TurnEnded(0, said("hello"), (), 0.7, EndReason.SILENT, said("hello"))
    assert [turn["transcript"] for turn in Conversation(U3).hears(event)] == ["Hello"]


def test_without_partial_turns_speech_is_announced_and_finals_are_sent():
    client = Conversation(f"{U3}&include_partial_turns=false")
    assert len(client.hears(SpeechStarted(0, StreamMs(0), 0.9))) == 1
    assert client.hears_so_far("Hi", final=0) == []
    assert len(client.hears(whole("Hi."))) == 1


def test_profanity_is_masked_in_partials_and_finals_from_where_it_is_asked_for():
    client = Conversation(U3)
    assert client.hears_so_far("Oh shit", final=0)[0]["transcript"] == "Oh shit—"
    client.changes(filter_profanity=True)
    assert client.hears_so_far("Oh shit", final=0)[0]["transcript"] == "Oh s***—"
    assert client.hears(whole("Oh shit!"))[0]["utterance"] == "Oh s***!"


def test_what_the_session_asks_for_beside_turns_is_told():
    client = Conversation(f"{U3}&acknowledge_silence=true&session_heartbeat=true")
    assert client.hears(SilencePassed(StreamMs(900), StreamMs(1920))) == [
        {"type": "Silence", "start_ms": 900, "end_ms": 1920}
    ]
    assert client.hears(Heartbeat(StreamMs(4990), 5000, 0.998, 0.97)) == [
        {
            "type": "Heartbeat",
            "total_audio_received_ms": 4990,
            "total_duration_ms": 5000,
            "realtime_factor": 0.998,
            "max_speech_probability": 0.97,
        }
    ]


def test_updates_of_everything_are_understood():
    client = Conversation(U3)
    client.changes(
        mode="max_accuracy",
        min_turn_silence=300,
        prompt="a" * 1750,
        agent_context="b" * 1750,
        interruption_delay=100,
        continuous_partials=False,
        turn_left_pad_ms=500,
        session_heartbeat=True,
        acknowledge_silence=True,
    )
    turn, output = client.config.turn, client.config.output
    assert (turn.min_silence_ms, turn.max_silence_ms, turn.partial_delay_ms, turn.left_pad_ms) == (300, 1600, 100, 500)
    assert (turn.has_continuous_partials, output.has_heartbeat, output.has_silence) == (False, True, True)


@pytest.mark.parametrize("name", ["prompt", "agent_context"])
def test_a_text_that_is_too_long_is_refused_also_in_mid_session(name):
    with pytest.raises(BadParameter, match="Max 1750 characters"):
        Conversation(U3).changes(**{name: "a" * 1751})


def test_a_strict_u3_session_takes_what_a_strict_us_session_refuses():
    server = V3ServerProtocol(*parse_query(U3, defaults=SessionConfig(), strict=True), EnglishWording())
    assert server.receive_text('{"type":"UpdateConfiguration","prompt":"hi"}') == ConfigUpdate()


# The language, in every profile


@pytest.mark.parametrize("model", ["universal-streaming-english", "whisper-rt", "u3-rt-pro"])
def test_the_language_is_told_where_asked_for_and_only_with_an_utterance_or_at_the_end(model):
    client = Conversation(f"speech_model={model}&language_detection=true&format_turns=true")
    (so_far,) = client.hears_so_far("Hi", final=0)
    assert "language_code" not in so_far
    assert "language_confidence" not in so_far
    for turn in client.hears_end("Hi there."):
        assert (turn["language_code"], turn["language_confidence"]) == ("en", 0.9)


def test_a_closed_utterance_carries_the_language():
    (turn,) = Conversation("language_detection=true").hears_so_far("Hi", final=1, utterance="Hi")
    assert turn["language_code"] == "en"


def test_the_confidence_of_the_language_is_that_of_the_words():
    words = said("Hallo", confidence=0.2) + said("there", confidence=0.6)
    event = TurnEnded(0, words, words, 0.7, EndReason.SILENT)
    (turn,) = Conversation(f"{U3}&language_detection=true").hears(event)
    assert turn["language_confidence"] == 0.4


def test_a_turn_without_words_has_no_language():
    event = TurnEnded(0, said("—"), said("—"), 0.7, EndReason.SILENT, ())
    (turn,) = Conversation("language_detection=true").hears(event)
    assert "language_code" not in turn


def test_without_the_wish_or_where_it_is_unknown_no_language_is_told():
    assert "language_code" not in Conversation(U3).hears(whole("Hi."))[0]

    class AnyWording(EnglishWording):
        language = None

    protocol = V3ServerProtocol(
        *parse_query("language_detection=1", defaults=SessionConfig(), strict=False), AnyWording()
    )
    assert "language_code" not in json.loads(protocol.messages_for(whole("Hi."))[0])


word_texts = st.text(alphabet="aB,.'—-5%?", min_size=1, max_size=5)


@given(st.lists(word_texts, min_size=1, max_size=6))
def test_partials_and_finals_of_any_words_keep_their_shape(texts):
    words = tuple(Word(text, StreamMs(i), StreamMs(i), 0.5) for i, text in enumerate(texts))
    client = Conversation(U3)
    (partial,) = client.hears(TurnUpdated(0, words, 0, 0.0))
    (final,) = client.hears(TurnEnded(0, words, words, 0.5, EndReason.SILENT, words))
    for turn in (partial, final):
        assert turn["transcript"] == " ".join(word["text"] for word in turn["words"])
        assert turn["turn_is_formatted"] == turn["end_of_turn"]
        assert {word["word_is_final"] for word in turn["words"]} <= {turn["end_of_turn"]}
    assert partial["utterance"] == ""
    assert final["utterance"] == final["transcript"]
