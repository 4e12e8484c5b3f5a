"""What v2 clients ask for when they connect."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import OutputConfig, SessionConfig, SessionLimits, TurnConfig
from tympan.core.errors import BadParameter, MalformedMessage, NotJson
from tympan.wire.close_codes import v2_ending
from tympan.wire.v2.params import PARAMETERS, parse_query, query_token
from tympan.wire.v2.tokens import parse_token_request


def asked(query, *, defaults=None, strict=False):
    return parse_query(query, defaults=defaults or SessionConfig(), strict=strict)


def test_utterances_end_on_700_ms_of_silence_alone_and_are_formatted():
    config, options = asked("sample_rate=16000")
    assert (config.turn.confidence_threshold, config.turn.longest_silence_ms) == (1.0, 700)
    assert (config.output.format_turns, config.output.include_partial_turns) == (True, True)
    assert config.audio == AudioFormat(Encoding.PCM_S16LE, 16_000)
    assert (options.wants_information, options.without_effect) == (False, ())


def test_booleans_come_as_python_and_javascript_write_them():
    python = "sample_rate=8000&disable_partial_transcripts=True&enable_extra_session_information=True"
    for query in (python, python.replace("True", "true")):
        config, options = asked(query + "&encoding=pcm_mulaw")
        assert config.output.include_partial_turns is False
        assert options.wants_information
        assert config.audio == AudioFormat(Encoding.PCM_MULAW, 8_000)


def test_boosted_words_are_read_and_said_to_be_without_effect():
    words = ["Tympan", "wörter, with a comma"]
    _, options = asked("sample_rate=16000&" + urlencode({"word_boost": json.dumps(words)}))
    assert options.word_boost == tuple(words)
    assert options.without_effect == ("word_boost",)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 4000),
        ("sample_rate=", 4000),
        ("sample_rate=fast", 4000),
        ("sample_rate=7999", 4000),
        ("sample_rate=96001", 4000),
        ("sample_rate=16000&word_boost=a,b", 4104),
        ("sample_rate=16000&word_boost=", 4104),
        ("sample_rate=16000&word_boost=[1]", 4104),
        ('sample_rate=16000&word_boost={"a":1}', 4104),
        ("sample_rate=16000&" + urlencode({"word_boost": json.dumps(["a" * 1250, "b" * 1251])}), 4104),
        ("sample_rate=16000&encoding=opus", 4101),
        ("sample_rate=16000&disable_partial_transcripts=perhaps", 4101),
        ("&".join(["a=b"] * 1001), 4101),
    ],
)
def test_a_value_that_can_not_be_used_has_its_code(query, code):
    with pytest.raises(BadParameter) as caught:
        asked(query)
    assert v2_ending(caught.value).code == code


def test_2500_characters_of_boosted_words_are_enough():
    query = urlencode({"sample_rate": 16000, "word_boost": json.dumps(["a" * 1250, "b" * 1250])})
    assert len(asked(query)[1].word_boost) == 2


def test_the_token_is_found_in_a_query_that_is_wrong():
    assert query_token("sample_rate=x&token=abc") == "abc"
    assert query_token("sample_rate=x") is None


def test_the_servers_defaults_hold_but_for_what_v2_decides():
    limits = SessionLimits(inactivity_timeout_s=5, max_chunk_ms=4000)
    defaults = replace(
        SessionConfig(),
        turn=TurnConfig(min_silence_ms=900, vad_threshold=0.7),
        output=OutputConfig(filter_profanity=True),
        limits=limits,
    )
    config, _ = asked("sample_rate=16000", defaults=defaults)
    assert (config.turn.vad_threshold, config.turn.longest_silence_ms) == (0.7, 700)
    assert config.output.filter_profanity
    assert config.limits == limits
    strict, _ = asked("sample_rate=16000", strict=True)
    chunks = strict.limits.min_chunk_ms, strict.limits.max_chunk_ms
    assert (chunks, strict.limits.is_strict) == ((100, 2000), True)


@given(st.text() | st.dictionaries(st.sampled_from([p.name for p in PARAMETERS]), st.text()).map(urlencode))
def test_any_query_is_a_configuration_or_a_typed_error(query):
    with suppress(BadParameter):
        config, _ = asked(query)
        assert 8_000 <= config.audio.sample_rate_hz <= 96_000


@pytest.mark.parametrize("body", ['{"expires_in": 60}', b'{"expires_in": 360000, "x": 1}', '{"expires_in": 60.0}'])
def test_a_token_is_asked_for_in_seconds(body):
    assert parse_token_request(body) in (60, 360_000)


@pytest.mark.parametrize("body", ["{}", '{"expires_in": 59}', '{"expires_in": "60"}', '{"expires_in": 31536001}'])
def test_a_request_for_a_token_that_can_not_be_met_names_the_field(body):
    with pytest.raises(BadParameter):
        parse_token_request(body)


def test_a_body_that_is_no_object_is_told_so():
    with pytest.raises(MalformedMessage, match=r"^Invalid Message: expected an object, got a list$"):
        parse_token_request("[]")


def test_a_body_that_is_no_json_is_told_so():
    with pytest.raises(NotJson):
        parse_token_request(b"\xff")
