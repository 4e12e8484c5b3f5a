"""Conversations of the US profile, as a client sees them (protocol reference, section 6)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core import effects
from tympan.core.config import ConfigUpdate, OutputConfig, SessionConfig
from tympan.core.errors import BadParameter, MalformedMessage, UnknownMessageType
from tympan.core.events import (
    CheckpointReached,
    ConfigurationChanged,
    EndReason,
    ResumeOffer,
    SessionBegan,
    SessionEnded,
    SessionResumed,
    SpeechStarted,
    TurnEnded,
    TurnUpdated,
)
from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.formatting.pipeline import EnglishWording
from tympan.wire.server_protocol import Acknowledged, KeepAlive
from tympan.wire.v3.params import parse_query
from tympan.wire.v3.server import V3ServerProtocol, farewell


def said(text, *, confidence=0.9):
    """Words as a model writes them, 200 ms each."""
    return tuple(
        Word(word, StreamMs(index * 200), StreamMs(index * 200 + 180), confidence)
        for index, word in enumerate(text.split())
    )


class Conversation:
    """A client that connected with a query and reads what it is sent."""

    def __init__(self, query="", **options):
        self.defaults = options.pop("defaults", SessionConfig())
        self.config, connection = parse_query(query, defaults=self.defaults, strict=False, **options)
        self.server = V3ServerProtocol(self.config, connection, EnglishWording())
        self.turn_order = 0

    def hears(self, event):
        return [json.loads(text) for text in self.server.messages_for(event)]

    def begins(self):
        return self.hears(SessionBegan("8a1c", 1_795_367_722))

    def hears_so_far(self, text, *, final, utterance="", confidence=0.0):
        words = said(text)
        return self.hears(TurnUpdated(self.turn_order, words, final, confidence, said(utterance)))

    def hears_end(self, text, *, formatted=None, utterance="", confidence=0.75):
        words = said(text)
        formatted_words = words if formatted is None else said(formatted)
        event = TurnEnded(self.turn_order, words, formatted_words, confidence, EndReason.CONFIDENT, said(utterance))
        self.turn_order += 1
        return self.hears(event)

    def changes(self, **fields):
        """The client sends UpdateConfiguration, and the session obeys."""
        update = self.server.receive_text(json.dumps({"type": "UpdateConfiguration", **fields}))
        self.config = update.apply_to(self.config)
        return self.hears(ConfigurationChanged(self.config))


def shown(turn):
    """A turn in the notation of the protocol reference: `*` marks words that may still change."""
    words = " ".join(word["text"] + ("" if word["word_is_final"] else "*") for word in turn["words"])
    ending = ("E" if turn["end_of_turn"] else "-") + ("F" if turn["turn_is_formatted"] else "-")
    return f"{turn['turn_order']} {ending} [{turn['transcript']}] [{words}] [{turn['utterance']}]"


def all_shown(turns):
    return [shown(turn) for turn in turns]


def test_a_formatted_conversation_reads_as_the_protocol_says():
    client = Conversation("sample_rate=16000&format_turns=True")
    assert client.begins()[0]["type"] == "Begin"
    assert client.hears(SpeechStarted(0, StreamMs(100))) == []
    assert all_shown(client.hears_so_far("Hi", final=0)) == ["0 -- [] [hi*] []"]
    assert all_shown(client.hears_so_far("Hi, my", final=1)) == ["0 -- [hi] [hi my*] []"]
    assert all_shown(client.hears_so_far("Hi, my name is Sonny.", final=4, utterance="Hi, my name is Sonny.")) == [
        "0 -- [hi my name is] [hi my name is sonny*] [Hi, my name is Sonny.]"
    ]
    assert all_shown(client.hears_end("Hi, my name is Sonny.")) == [
        "0 E- [hi my name is sonny] [hi my name is sonny] []",
        "0 EF [Hi, my name is Sonny.] [Hi, my name is Sonny.] []",
    ]
    assert client.hears(SessionEnded(6.6, 8.4)) == [
        {"type": "Termination", "audio_duration_seconds": 7, "session_duration_seconds": 8}
    ]
    assert client.server.farewell(None) == farewell(None)
    assert farewell(None).messages == ()
    assert client.server.farewell(None) == farewell(None)
    assert (farewell(None).code, farewell(None).reason) == (1000, "Session Ended")


def test_without_format_turns_a_turn_has_one_raw_final():
    client = Conversation("sample_rate=16000")
    client.hears_so_far("Hi, my", final=1)
    assert all_shown(client.hears_so_far("Hi, my name.", final=3, utterance="Hi, my name.")) == [
        "0 -- [hi my name] [hi my name] [hi my name]"
    ]
    assert all_shown(client.hears_end("Hi, my name.")) == ["0 E- [hi my name] [hi my name] []"]


def test_an_utterance_that_closes_with_the_turn_is_told_on_the_raw_final_alone():
    client = Conversation("format_turns=true")
    turns = client.hears_end("It's 5%.", utterance="It's 5%.")
    assert all_shown(turns) == ["0 E- [it's 5%] [it's 5%] [It's 5%.]", "0 EF [It's 5%.] [It's 5%.] []"]


def test_the_formatted_final_may_correct_words():
    client = Conversation("format_turns=true")
    raw, formatted = client.hears_end("call sonny", formatted="Call Sony, now.")
    assert (raw["transcript"], formatted["transcript"]) == ("call sonny", "Call Sony, now.")


def test_a_turn_is_never_lost_because_its_second_decode_was_empty():
    client = Conversation("format_turns=true")
    assert [turn["transcript"] for turn in client.hears_end("hello", formatted="")] == ["hello", "Hello"]


def test_whisper_has_one_final_even_after_an_update():
    client = Conversation("speech_model=whisper-rt&format_turns=true")
    client.changes(format_turns=True)
    assert all_shown(client.hears_end("Hello.")) == ["0 E- [hello] [hello] []"]


def test_updates_and_forced_ends_follow_each_other_without_replies():
    client = Conversation("format_turns=true")
    assert client.changes(min_turn_silence=1000, max_turn_silence=2500, keyterms_prompt=["CL44812"]) == []
    assert (client.config.turn.min_silence_ms, client.config.turn.max_silence_ms) == (1000, 2500)
    assert client.server.receive_text('{"type":"ForceEndpoint"}') == effects.ForceEndpoint()
    assert len(client.hears_end("So.")) == 2
    assert client.changes(keyterms_prompt=[]) == []


def test_format_turns_may_change_between_turns():
    client = Conversation()
    assert len(client.hears_end("One.")) == 1
    client.changes(format_turns=True)
    assert len(client.hears_end("Two.")) == 2
    client.changes(format_turns=False)
    assert len(client.hears_end("Three.")) == 1


def test_a_turn_open_at_terminate_is_told_before_the_termination():
    client = Conversation()
    client.hears_so_far("Wait", final=0)
    assert client.server.receive_text('{"type":"Terminate"}') == effects.Finish()
    assert all_shown(client.hears_end("Wait.")) == ["0 E- [wait] [wait] []"]
    assert client.hears(SessionEnded(1, 1))[0]["type"] == "Termination"


def test_keep_alive_is_passed_on():
    assert Conversation().server.receive_text('{"type":"KeepAlive"}') == KeepAlive()


def test_begin_echoes_the_configuration_without_nulls():
    client = Conversation("speech_model=whisper-rt&filter_profanity=1", api_version="2025-05-12")
    assert client.begins() == [
        {
            "type": "Begin",
            "id": "8a1c",
            "expires_at": 1_795_367_722,
            "configuration": {
                "model": "whisper-rt",
                "api_version": "2025-05-12",
                "speaker_labels": False,
                "redact_pii": False,
                "filter_profanity": True,
            },
        }
    ]


def test_begin_echoes_that_noise_is_suppressed():
    (begin,) = Conversation("speech_model=u3-rt-pro&noise_suppression_model=far-field").begins()
    assert begin["configuration"]["voice_focus"] == "far-field"


def test_begin_offers_a_way_back_where_there_is_one():
    (begin,) = Conversation().hears(SessionBegan("8a1c", 9, ResumeOffer("k3y", 30)))
    assert (begin["resume_key"], begin["resume_window_seconds"]) == ("k3y", 30)
    assert "resume_key" not in Conversation("resumable=true").begins()[0]


def test_a_session_that_may_be_resumed_knows_acknowledgements_and_no_other_does():
    client = Conversation()
    with pytest.raises(UnknownMessageType, match="Invalid Message Type: Acknowledge"):
        client.server.receive_text('{"type":"Acknowledge","messages":3}')
    client.hears(SessionBegan("8a1c", 9, ResumeOffer("k3y", 30)))
    assert client.server.receive_text('{"type":"Acknowledge","messages":3}') == Acknowledged(3)
    assert client.server.receive_text('{"type":"KeepAlive"}') == KeepAlive()


def test_checkpoints_and_resumptions_are_told_as_the_reference_says():
    client = Conversation()
    assert client.hears(CheckpointReached(32_000, StreamMs(500), 2)) == [
        {"type": "Checkpoint", "audio_received_bytes": 32_000, "audio_settled_ms": 500, "messages_received": 2}
    ]
    assert client.hears(SessionResumed("8a1c", 9, 32_000, 2)) == [
        {"type": "Resumed", "id": "8a1c", "audio_received_bytes": 32_000, "messages_received": 2, "expires_at": 9}
    ]


def test_a_turn_has_every_field_that_clients_require_and_no_other():
    (turn,) = Conversation().hears_so_far("Hi", final=0, confidence=0.123456789)
    assert turn == {
        "type": "Turn",
        "turn_order": 0,
        "turn_is_formatted": False,
        "end_of_turn": False,
        "transcript": "",
        "end_of_turn_confidence": 0.123457,
        "words": [{"start": 0, "end": 180, "confidence": 0.9, "text": "hi", "word_is_final": False}],
        "utterance": "",
    }


def test_word_confidences_are_rounded_and_stay_floats():
    client = Conversation()
    words = said("Hi", confidence=1 / 3) + said("there", confidence=1)
    texts = client.server.messages_for(TurnUpdated(0, words, 2, 1))
    assert '"confidence":0.333333' in texts[0]
    assert '"confidence":1.0' in texts[0]
    assert '"end_of_turn_confidence":1.0' in texts[0]


def test_all_tentative_words_are_shown():
    turns = Conversation().hears_so_far("one two three", final=1)
    assert all_shown(turns) == ["0 -- [one] [one two* three*] []"]


def test_a_partial_that_reads_like_the_last_is_not_sent():
    client = Conversation()
    client.hears_so_far("Hi", final=0)
    assert client.hears_so_far("hi,", final=0, confidence=0.5) == []
    assert all_shown(client.hears_so_far("hi,", final=1)) == ["0 -- [hi] [hi] []"]


def test_a_closed_utterance_is_told_even_if_the_words_read_the_same():
    client = Conversation()
    client.hears_so_far("Hi", final=1)
    assert all_shown(client.hears_so_far("Hi", final=1, utterance="Hi")) == ["0 -- [hi] [hi] [hi]"]
    assert client.hears_so_far("Hi", final=1) == []


def test_words_that_vanish_are_taken_back():
    client = Conversation()
    client.hears_so_far("Hm", final=0)
    assert all_shown(client.hears_so_far("", final=0)) == ["0 -- [] [] []"]


def test_a_turn_without_words_yet_says_nothing():
    assert Conversation().hears_so_far("", final=0) == []


def test_each_turn_starts_afresh():
    client = Conversation()
    client.hears_so_far("Yes", final=0)
    client.hears_end("Yes.")
    assert all_shown(client.hears_so_far("Yes", final=0)) == ["1 -- [] [yes*] []"]


def test_words_of_nothing_but_punctuation_are_left_out():
    client = Conversation("format_turns=true")
    assert all_shown(client.hears_so_far("Well — yes", final=3)) == ["0 -- [well yes] [well yes] []"]


def test_without_partial_turns_only_finals_are_sent():
    client = Conversation("include_partial_turns=false&format_turns=true")
    assert client.hears_so_far("Hi", final=1, utterance="Hi") == []
    assert len(client.hears_end("Hi.")) == 2


def test_profanity_is_masked_in_partials_raw_and_formatted_finals():
    client = Conversation("filter_profanity=true&format_turns=true")
    assert all_shown(client.hears_so_far("Oh shit", final=1)) == ["0 -- [oh] [oh s****] []"]
    assert all_shown(client.hears_end("Oh shit!", utterance="Oh shit!")) == [
        "0 E- [oh s***] [oh s***] [Oh s***!]",
        "0 EF [Oh s***!] [Oh s***!] []",
    ]


def test_profanity_may_be_masked_from_mid_session_on():
    client = Conversation()
    client.changes(filter_profanity=True)
    assert client.hears_end("Shit.")[0]["transcript"] == "s***"


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("nonsense", MalformedMessage, "User Input Validation Error: Invalid JSON: Expecting value"),
        ("[]", MalformedMessage, "User Input Validation Error: Invalid Message: expected an object"),
        ('{"type":"Jump"}', UnknownMessageType, "User Input Validation Error: Invalid Message Type: Jump"),
        (
            '{"type":"UpdateConfiguration","min_turn_silence":"x"}',
            BadParameter,
            "User Input Validation Error: Invalid 'min_turn_silence': expected an integer, got a string",
        ),
    ],
)
def test_a_bad_message_ends_the_connection_with_3006(text, error, told):
    with pytest.raises(error) as caught:
        Conversation().server.receive_text(text)
    ending = farewell(caught.value)
    message = json.loads(ending.messages[0])
    assert message["error"].startswith(told)
    assert (message["type"], message["error_code"], ending.code) == ("Error", 3006, 3006)
    assert ending.reason == "See Error message for details"


def test_an_error_that_holds_half_a_character_can_still_be_told():
    with pytest.raises(UnknownMessageType) as caught:
        Conversation().server.receive_text('{"type":"\\ud800"}')
    assert farewell(caught.value).messages[0].encode()


def test_a_strict_session_refuses_updates_out_of_range():
    strict = V3ServerProtocol(*parse_query("", defaults=SessionConfig(), strict=True), EnglishWording())
    with pytest.raises(BadParameter, match="between 0 and 1"):
        strict.receive_text('{"type":"UpdateConfiguration","vad_threshold":2}')


def test_the_configuration_of_the_session_holds_before_any_update():
    defaults = replace(SessionConfig(), output=OutputConfig(format_turns=True))
    assert len(Conversation(defaults=defaults).hears_end("Hi.")) == 2


def test_an_update_without_fields_changes_nothing():
    assert Conversation().server.receive_text('{"type":"UpdateConfiguration"}') == ConfigUpdate()


word_texts = st.text(alphabet="aB,.'—-5%", min_size=1, max_size=5)


@given(st.lists(word_texts, max_size=6), st.data())
def test_final_words_never_change_while_a_turn_grows(texts, data):
    client = Conversation()
    words = tuple(Word(text, StreamMs(i), StreamMs(i), 0.5) for i, text in enumerate(texts))
    counts = sorted(data.draw(st.lists(st.integers(0, len(words)), max_size=5)))
    finals: list[str] = []
    for count in counts:
        for turn in client.hears(TurnUpdated(0, words, count, 0.0)):
            now = [word["text"] for word in turn["words"] if word["word_is_final"]]
            assert now[: len(finals)] == finals
            assert turn["transcript"] == " ".join(now)
            finals = now
    (final,) = client.hears(TurnEnded(0, words, words, 0.5, EndReason.SILENT))
    assert [word["text"] for word in final["words"]][: len(finals)] == finals
