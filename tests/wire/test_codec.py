"""Whatever a text holds, decoding gives a message or a typed error; what is encoded comes back the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.errors import BadParameter, MalformedMessage, ProtocolError, UnknownMessageType
from tympan.wire.codec import Codec
from tympan.wire.v3.messages import (
    CLIENT_CODEC,
    CLIENT_TYPES,
    MAX_CLIENT_MESSAGE_CHARS,
    RESUMABLE_CLIENT_CODEC,
    RESUME_CLIENT_TYPES,
    RESUME_SERVER_TYPES,
    SERVER_CODEC,
    SERVER_TYPES,
    LLMGatewayResponse,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
safe_integers = st.integers(-(2**53) + 1, 2**53 - 1)
numbers = st.floats(min_value=-1e15, max_value=1e15)
st.register_type_strategy(int, safe_integers)
st.register_type_strategy(float, numbers)
answers = st.recursive(
    st.none() | st.booleans() | safe_integers | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
st.register_type_strategy(
    LLMGatewayResponse, st.builds(LLMGatewayResponse, safe_integers, st.text(), st.dictionaries(st.text(), answers))
)
client_messages = st.one_of(*(st.from_type(cls) for cls in CLIENT_TYPES.values()))
server_messages = st.one_of(*(st.from_type(cls) for cls in (*SERVER_TYPES.values(), *RESUME_SERVER_TYPES.values())))
resumable_client_messages = client_messages | st.one_of(*(st.from_type(cls) for cls in RESUME_CLIENT_TYPES.values()))


@given(client_messages)
def test_a_client_message_comes_back_from_the_wire_as_it_was(message):
    assert CLIENT_CODEC.decode(CLIENT_CODEC.encode(message)) == message


@given(resumable_client_messages)
def test_a_message_of_a_resumable_session_comes_back_from_the_wire_as_it_was(message):
    assert RESUMABLE_CLIENT_CODEC.decode(RESUMABLE_CLIENT_CODEC.encode(message)) == message


def test_a_session_that_is_not_resumable_knows_no_acknowledgements():
    text = RESUMABLE_CLIENT_CODEC.encode(RESUME_CLIENT_TYPES["Acknowledge"](3))
    with pytest.raises(UnknownMessageType, match="Invalid Message Type: Acknowledge"):
        CLIENT_CODEC.decode(text)


@given(server_messages)
def test_a_server_message_comes_back_from_the_wire_as_it_was(message):
    assert SERVER_CODEC.decode(SERVER_CODEC.encode(message)) == message


def _is_message_or_protocol_error(codec, text):
    try:
        message = codec.decode(text)
    except ProtocolError as error:
        _is_fit_to_be_told(error)
    else:
        assert codec.decode(codec.encode(message)) == message


def _is_fit_to_be_told(error):
    assert str(error).startswith("Invalid ")
    assert len(str(error)) < 500


@given(st.text() | st.binary())
def test_any_text_is_a_message_or_a_typed_error(text):
    _is_message_or_protocol_error(RESUMABLE_CLIENT_CODEC, text)
    _is_message_or_protocol_error(SERVER_CODEC, text)


@given(json_values)
def test_any_json_is_a_message_or_a_typed_error(value):
    _is_message_or_protocol_error(CLIENT_CODEC, json.dumps(value))


update_fields = st.sampled_from([field.name for field in fields(CLIENT_TYPES["UpdateConfiguration"])])


@given(st.dictionaries(update_fields | st.text(), json_values))
def test_any_fields_are_a_message_or_a_typed_error(given_fields):
    text = json.dumps({**given_fields, "type": "UpdateConfiguration"})
    _is_message_or_protocol_error(CLIENT_CODEC, text)


@given(st.dictionaries(st.sampled_from([f.name for f in fields(SERVER_TYPES["Turn"])]), json_values))
def test_any_fields_of_a_turn_are_a_message_or_a_typed_error(given_fields):
    _is_message_or_protocol_error(SERVER_CODEC, json.dumps({**given_fields, "type": "Turn"}))


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("", "Invalid JSON: Expecting value"),
        ("{", "Invalid JSON: "),
        ("hello", "Invalid JSON: Expecting value"),
        (b"\xff\xfe", "Invalid JSON: 'utf-8' codec can't decode"),
        ('{"type":"KeepAlive","x":NaN}', "Invalid JSON: NaN is not a JSON number"),
        ('{"type":"KeepAlive","x":-Infinity}', "Invalid JSON: -Infinity is not a JSON number"),
        ('{"type":"KeepAlive","x":' + "9" * 5000 + "}", "Invalid JSON: "),
        ("[" * 100_000, "Invalid JSON: nested too deep"),
        ("[]", "Invalid Message: expected an object, got a list"),
        ("null", "Invalid Message: expected an object, got nothing"),
        ("true", "Invalid Message: expected an object, got true"),
        ("1.5", "Invalid Message: expected an object, got 1.5"),
        ("7", "Invalid Message: expected an object, got 7"),
        (str(2**60), "Invalid Message: expected an object, got a number too large"),
        ('"Terminate"', "Invalid Message: expected an object, got a string"),
        ("{}", "Invalid Message: expected a string under 'type', got nothing"),
        ('{"type":{}}', "Invalid Message: expected a string under 'type', got an object"),
        (" " * (MAX_CLIENT_MESSAGE_CHARS + 1), "Invalid Message: 262,145 characters, at most 262,144"),
    ],
)
def test_what_is_no_message_is_refused_with_the_documented_text(text, beginning):
    with pytest.raises(MalformedMessage) as caught:
        CLIENT_CODEC.decode(text)
    assert str(caught.value).startswith(beginning)


def test_an_unknown_type_is_named_in_the_error():
    with pytest.raises(UnknownMessageType) as caught:
        CLIENT_CODEC.decode('{"type":"Restart"}')
    assert str(caught.value) == "Invalid Message Type: Restart"


def test_an_unknown_type_is_cut_short_in_the_error():
    with pytest.raises(UnknownMessageType) as caught:
        CLIENT_CODEC.decode(json.dumps({"type": "x" * 9000}))
    assert caught.value.message_type == "x" * 100


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("min_turn_silence", True, "expected an integer, got true"),
        ("min_turn_silence", 100.5, "expected an integer, got 100.5"),
        ("min_turn_silence", "100", "expected an integer, got a string"),
        ("min_turn_silence", 10**17, "expected an integer, got a number too large"),
        ("vad_threshold", False, "expected a number, got false"),
        ("vad_threshold", [], "expected a number, got a list"),
        ("format_turns", 1, "expected a boolean, got 1"),
        ("prompt", {}, "expected a string, got an object"),
        ("keyterms_prompt", "a", "expected a list, got a string"),
    ],
)
def test_a_field_of_the_wrong_type_is_named_in_the_error(field, value, reason):
    with pytest.raises(BadParameter) as caught:
        CLIENT_CODEC.decode(json.dumps({"type": "UpdateConfiguration", field: value}))
    assert str(caught.value) == f"Invalid '{field}': {reason}"


def test_the_item_of_a_list_is_named_in_the_error():
    with pytest.raises(BadParameter) as caught:
        CLIENT_CODEC.decode('{"type":"UpdateConfiguration","keyterms_prompt":["a",2]}')
    assert str(caught.value) == "Invalid 'keyterms_prompt.1': expected a string, got 2"


def test_a_number_beyond_all_floats_is_refused():
    with pytest.raises(BadParameter, match="expected a number, got inf"):
        CLIENT_CODEC.decode('{"type":"UpdateConfiguration","vad_threshold":1e999}')


def test_a_whole_float_counts_as_an_integer():
    message = CLIENT_CODEC.decode('{"type":"UpdateConfiguration","min_turn_silence":400.0}')
    assert message.min_turn_silence == 400
    assert isinstance(message.min_turn_silence, int)


def test_a_missing_field_is_named_in_the_error():
    with pytest.raises(BadParameter, match="Invalid 'id': is missing"):
        SERVER_CODEC.decode('{"type":"Begin","expires_at":1}')


def test_a_part_that_is_no_object_is_named_in_the_error():
    with pytest.raises(BadParameter, match="Invalid 'configuration': expected an object, got 3"):
        SERVER_CODEC.decode('{"type":"Begin","id":"a","expires_at":1,"configuration":3}')


def test_a_field_inside_a_part_is_named_by_its_path():
    with pytest.raises(BadParameter, match=r"Invalid 'configuration\.model': expected a string, got 3"):
        SERVER_CODEC.decode('{"type":"Begin","id":"a","expires_at":1,"configuration":{"model":3}}')


def test_unknown_fields_are_ignored():
    assert CLIENT_CODEC.decode('{"type":"Terminate","why":{"deep":[1]}}') == CLIENT_TYPES["Terminate"]()


def test_fields_without_a_value_stay_off_the_wire_also_inside_parts():
    begin = SERVER_CODEC.decode('{"type":"Begin","id":"a","expires_at":1,"configuration":{"mode":null}}')
    assert SERVER_CODEC.encode(begin) == '{"type":"Begin","id":"a","expires_at":1,"configuration":{}}'


def test_a_message_with_a_nan_is_never_sent():
    warning = SERVER_TYPES["SpeechStarted"](1, confidence=float("nan"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        SERVER_CODEC.encode(warning)


def test_a_field_type_that_json_cannot_hold_is_refused_when_the_codec_is_built():
    @dataclass(frozen=True)
    class Odd:
        parts: set[str]

    with pytest.raises(TypeError, match="can't be of type"):
        Codec({"Odd": Odd}, tag="type")
