"""The client's side: what it builds, and what it makes of a server's messages."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.errors import MalformedMessage, ProtocolError
from tympan.wire.v3.client import build_query, decode_message, encode_message
from tympan.wire.v3.messages import (
    RESUME_SERVER_TYPES,
    SERVER_TYPES,
    Acknowledge,
    Begin,
    Checkpoint,
    Resumed,
    ServerWarning,
    SpeechStarted,
    Terminate,
    UnknownServerMessage,
)


def test_a_query_spells_values_as_servers_expect_them():
    query = build_query({"sample_rate": 8000, "format_turns": True, "x": False, "vad_threshold": 0.5})
    assert query == "sample_rate=8000&format_turns=true&x=false&vad_threshold=0.5"


def test_a_list_becomes_a_json_array():
    assert parse_qs(build_query({"keyterms_prompt": ["a b", "c"]})) == {"keyterms_prompt": ['["a b", "c"]']}


def test_a_value_of_none_is_left_out():
    assert build_query({"token": None, "speech_model": "whisper-rt"}) == "speech_model=whisper-rt"


def test_a_message_is_encoded_as_the_protocol_spells_it():
    assert encode_message(Terminate()) == '{"type":"Terminate"}'
    assert encode_message(Acknowledge(7)) == '{"type":"Acknowledge","messages":7}'


def test_messages_that_our_server_never_sends_are_decoded():
    assert decode_message('{"type":"SpeechStarted","timestamp":5}') == SpeechStarted(5)
    assert decode_message('{"type":"Warning","warning_code":1,"warning":"w"}') == ServerWarning(1, "w")


def test_the_messages_of_the_resume_extension_are_decoded():
    assert decode_message(
        '{"type":"Checkpoint","audio_received_bytes":3200,"audio_settled_ms":40,"messages_received":2}'
    ) == Checkpoint(3200, 40, 2)
    assert decode_message(
        '{"type":"Resumed","id":"8a1c","audio_received_bytes":3200,"messages_received":2,"expires_at":9}'
    ) == Resumed("8a1c", 3200, 2, 9)


def test_the_key_of_a_session_is_not_in_what_a_log_may_show():
    begin = decode_message(
        '{"type":"Begin","id":"8a1c","expires_at":9,"resume_key":"secret","resume_window_seconds":30}'
    )
    assert isinstance(begin, Begin)
    assert (begin.resume_key, begin.resume_window_seconds) == ("secret", 30)
    assert "secret" not in repr(begin)


def test_a_message_of_an_unknown_type_is_no_error():
    assert decode_message('{"type":"SpeakerRevision","revisions":[]}') == UnknownServerMessage("SpeakerRevision")


def test_nonsense_from_a_server_is_an_error():
    with pytest.raises(MalformedMessage):
        decode_message("nonsense")


@given(st.text() | st.binary())
def test_any_text_from_a_server_is_a_message_or_a_typed_error(text):
    try:
        message = decode_message(text)
    except ProtocolError:
        return
    assert isinstance(message, (*SERVER_TYPES.values(), *RESUME_SERVER_TYPES.values(), UnknownServerMessage))
