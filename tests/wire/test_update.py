"""What UpdateConfiguration changes, and what it may not hold."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.errors import BadParameter
from tympan.wire.v3.messages import UpdateConfiguration
from tympan.wire.v3.update import UPDATABLE, config_update


def test_every_field_of_the_message_is_in_the_table_of_parameters():
    names = {name for parameter in UPDATABLE for name in parameter.names}
    assert {field.name for field in fields(UpdateConfiguration)} == names - {"keyterms", "language_code"}


@pytest.mark.parametrize(
    ("message", "update"),
    [
        (UpdateConfiguration(), ConfigUpdate()),
        (UpdateConfiguration(min_turn_silence=100), ConfigUpdate(min_silence_ms=100)),
        (UpdateConfiguration(min_end_of_turn_silence_when_confident=1), ConfigUpdate(min_silence_ms=1)),
        (
            UpdateConfiguration(min_turn_silence=2, min_end_of_turn_silence_when_confident=1),
            ConfigUpdate(min_silence_ms=2),
        ),
        (UpdateConfiguration(max_turn_silence=900), ConfigUpdate(max_silence_ms=900)),
        (
            UpdateConfiguration(end_of_turn_confidence_threshold=0.0),
            ConfigUpdate(confidence_threshold=0.0),
        ),
        (UpdateConfiguration(vad_threshold=7.0), ConfigUpdate(vad_threshold=1)),
        (UpdateConfiguration(format_turns=False), ConfigUpdate(format_turns=False)),
        (UpdateConfiguration(filter_profanity=True), ConfigUpdate(filter_profanity=True)),
        (UpdateConfiguration(keyterms_prompt=(), language_codes=(), mode="balanced"), ConfigUpdate()),
    ],
)
def test_a_message_changes_what_it_names_and_nothing_else(message, update):
    assert config_update(message, is_strict=False) == update


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (UpdateConfiguration(keyterms_prompt=("a",) * 101), "Invalid 'keyterms_prompt': Max 100 items"),
        (UpdateConfiguration(prompt="a" * 1751), "Invalid 'prompt': Max 1750 characters, got 1751"),
        (UpdateConfiguration(mode="turbo"), "Invalid 'mode': 'turbo' is not a valid Mode"),
        (
            UpdateConfiguration(language_codes=("fr",)),
            "Invalid 'language_codes': only English is transcribed, not fr",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_text(message, text):
    with pytest.raises(BadParameter) as caught:
        config_update(message, is_strict=False)
    assert str(caught.value) == text


def test_a_number_out_of_range_is_refused_when_strict():
    with pytest.raises(BadParameter, match="Invalid 'max_turn_silence': must be between"):
        config_update(UpdateConfiguration(max_turn_silence=0), is_strict=True)


@given(st.from_type(UpdateConfiguration), st.booleans())
def test_any_message_gives_a_valid_configuration_or_a_bad_parameter(message, strict):
    try:
        config = config_update(message, is_strict=strict).apply_to(SessionConfig())
    except BadParameter:
        return
    assert 0 <= config.turn.vad_threshold <= 1
    assert 0 <= config.turn.min_silence_ms <= config.turn.longest_silence_ms
