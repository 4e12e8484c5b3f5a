"""What v2 clients say as text: a message or a typed error, whatever comes."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.errors import BadParameter, MalformedMessage, NotJson, ProtocolError
from tympan.wire.close_codes import v2_ending
from tympan.wire.v2.client_messages import (
    FORMS,
    AudioData,
    EndUtteranceSilenceThreshold,
    ForceEndUtterance,
    NothingAsked,
    TerminateSession,
    decode_client,
    encode_client,
    turn_silences,
)

client_messages = st.one_of(
    st.builds(AudioData, st.binary()),
    st.builds(EndUtteranceSilenceThreshold, st.integers(0, 20_000)),
    st.sampled_from([TerminateSession(), ForceEndUtterance(), NothingAsked()]),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
nearly_messages = st.dictionaries(
    st.sampled_from([key for key, _ in FORMS.values()]) | st.text(max_size=5), json_values, max_size=4
)


@given(client_messages)
def test_a_message_comes_back_from_the_wire_as_it_was(message):
    assert decode_client(encode_client(message)) == message


@given(st.text() | st.binary() | json_values.map(json.dumps) | nearly_messages.map(json.dumps))
def test_any_text_is_a_message_or_a_typed_error(text):
    with suppress(ProtocolError):
        message = decode_client(text)
        assert decode_client(encode_client(message)) == message


def test_audio_may_come_as_base64_with_line_breaks():
    audio = bytes(range(256))
    broken = base64.encodebytes(audio).decode()
    assert decode_client(json.dumps({"audio_data": broken})) == AudioData(audio)
    assert decode_client('{"audio_data": ""}') == AudioData(b"")


@pytest.mark.parametrize("text", ["a", "ab=", "ab-_", "a b*c", "é", "=", "AAA"])
def test_odd_base64_is_a_typed_error(text):
    with pytest.raises(BadParameter, match="expected base64"):
        decode_client(json.dumps({"audio_data": text}))


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        ("", NotJson, 4100),
        ("hello", NotJson, 4100),
        ('{"terminate_session": NaN}', NotJson, 4100),
        ("[]", MalformedMessage, 4101),
        ("{}", MalformedMessage, 4101),
        ('{"type": "Terminate"}', MalformedMessage, 4101),
        ('{"terminate_session": "yes"}', BadParameter, 4101),
        ('{"audio_data": 7}', BadParameter, 4101),
        ('{"end_utterance_silence_threshold": 1.5}', BadParameter, 4101),
        ('{"end_utterance_silence_threshold": true}', BadParameter, 4101),
        ('{"force_end_utterance": true, "terminate_session": true}', MalformedMessage, 4101),
    ],
)
def test_what_is_no_message_ends_the_connection_with_its_code(text, error, code):
    with pytest.raises(ProtocolError) as caught:
        decode_client(text)
    assert type(caught.value) is error
    assert v2_ending(caught.value).code == code


def test_a_flag_that_is_false_asks_for_nothing():
    assert decode_client('{"terminate_session": false, "force_end_utterance": null}') == NothingAsked()
    assert decode_client('{"terminate_session": false, "force_end_utterance": true}') == ForceEndUtterance()


def test_a_silence_out_of_range_is_moved_to_the_nearest_end_unless_strict():
    assert decode_client('{"end_utterance_silence_threshold": 20001}') == EndUtteranceSilenceThreshold(20_000)
    assert decode_client('{"end_utterance_silence_threshold": -1}') == EndUtteranceSilenceThreshold(0)
    with pytest.raises(BadParameter, match="between 0 and 20,000 ms"):
        decode_client('{"end_utterance_silence_threshold": 20001}', is_strict=True)


@pytest.mark.parametrize(("silence_ms", "expected"), [(0, (1, 1)), (399, (399, 399)), (401, (400, 401))])
def test_the_shorter_silence_is_never_above_the_longer(silence_ms, expected):
    assert turn_silences(silence_ms, 400) == expected
