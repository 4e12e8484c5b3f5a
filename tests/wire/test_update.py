"""What UpdateConfiguration changes, and what it may not hold."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.config import ConfigUpdate, SessionConfig
from tympan.core.errors import BadParameter
from tympan.wire.v3.messages import UpdateConfiguration
from tympan.wire.v3.modes import MODES, U3_TURN
from tympan.wire.v3.profiles import Profile
from tympan.wire.v3.update import UPDATABLE, config_update


def update_of(message, *, profile=Profile.US, is_strict=False):
    return config_update(message, profile=profile, is_strict=is_strict)


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
    assert update_of(message) == update


@pytest.mark.parametrize(
    ("message", "update"),
    [
        (UpdateConfiguration(min_turn_silence=100, max_turn_silence=100), ConfigUpdate(None, 100, 100)),
        (UpdateConfiguration(interruption_delay=0), ConfigUpdate(partial_delay_ms=0)),
        (UpdateConfiguration(continuous_partials=False), ConfigUpdate(has_continuous_partials=False)),
        (UpdateConfiguration(turn_left_pad_ms=9000), ConfigUpdate(left_pad_ms=2000)),
        (UpdateConfiguration(session_heartbeat=True), ConfigUpdate(has_heartbeat=True)),
        (UpdateConfiguration(acknowledge_silence=True), ConfigUpdate(has_silence=True)),
        (UpdateConfiguration(prompt="a" * 1750, agent_context="b" * 1750), ConfigUpdate()),
        (UpdateConfiguration(format_turns=False, end_of_turn_confidence_threshold=1.0), ConfigUpdate()),
    ],
)
def test_a_u3_session_changes_what_it_has(message, update):
    assert update_of(message, profile=Profile.U3) == update


@pytest.mark.parametrize("name", MODES)
def test_a_mode_sets_all_its_numbers(name):
    turn = update_of(UpdateConfiguration(mode=name), profile=Profile.U3).apply_to(SessionConfig(turn=U3_TURN)).turn
    mode = MODES[name]
    assert (turn.min_silence_ms, turn.max_silence_ms) == (mode.min_silence_ms, mode.max_silence_ms)
    assert (turn.partial_delay_ms, turn.confidence_threshold) == (mode.partial_delay_ms, mode.confidence_threshold)


def test_a_value_beside_a_mode_wins_over_it():
    message = UpdateConfiguration(mode="max_accuracy", min_turn_silence=150, interruption_delay=0)
    update = update_of(message, profile=Profile.U3)
    assert (update.min_silence_ms, update.partial_delay_ms) == (150, 0)
    assert update.max_silence_ms == MODES["max_accuracy"].max_silence_ms


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (UpdateConfiguration(keyterms_prompt=("a",) * 101), "Invalid 'keyterms_prompt': Max 100 items"),
        (UpdateConfiguration(prompt="a" * 1751), "Invalid 'prompt': Max 1750 characters, got 1751"),
        (UpdateConfiguration(agent_context="a" * 1751), "Invalid 'agent_context': Max 1750 characters, got 1751"),
        (UpdateConfiguration(mode="turbo"), "Invalid 'mode': 'turbo' is not a valid Mode"),
        (
            UpdateConfiguration(language_codes=("fr",)),
            "Invalid 'language_codes': only English is transcribed, not fr",
        ),
    ],
)
@pytest.mark.parametrize("profile", Profile)
def test_a_value_that_cannot_be_used_is_refused_with_its_text(message, text, profile):
    with pytest.raises(BadParameter) as caught:
        update_of(message, profile=profile)
    assert str(caught.value) == text


def test_a_number_out_of_range_is_refused_when_strict():
    with pytest.raises(BadParameter, match="Invalid 'max_turn_silence': must be between"):
        update_of(UpdateConfiguration(max_turn_silence=0), is_strict=True)


@pytest.mark.parametrize("message", [UpdateConfiguration(mode="balanced"), UpdateConfiguration(prompt="hi")])
def test_what_only_u3_models_have_is_refused_elsewhere_when_strict(message):
    update_of(message, profile=Profile.U3, is_strict=True)
    with pytest.raises(BadParameter, match="not supported by this speech model"):
        update_of(message, is_strict=True)


@given(st.from_type(UpdateConfiguration), st.booleans(), st.sampled_from(Profile))
def test_any_message_gives_a_valid_configuration_or_a_bad_parameter(message, strict, profile):
    try:
        config = update_of(message, profile=profile, is_strict=strict).apply_to(SessionConfig())
    except BadParameter:
        return
    assert 0 <= config.turn.vad_threshold <= 1
    assert 0 <= config.turn.min_silence_ms <= config.turn.longest_silence_ms
