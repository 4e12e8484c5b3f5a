"""`tympan.client` is light, and offers what it says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from typing import get_args

import pytest

import tympan.client
from tympan.client.events import Event
from tympan.client.parameters import (
    SessionParameters,
    audio_format,
    has_partials,
    is_told_twice,
    longest_silence_ms,
    parameter_values,
)
from tympan.core.audio import AudioFormat, Encoding
from tympan.wire.v3.client import ParameterValue
from tympan.wire.v3.parameters import PARAMETERS

UNKNOWN_HERE = {"language_detection", "max_speakers", "prompt", "redact_pii_policies", "continuous_partials"}
"""Parameters of the hosted service that our server passes over."""


def imported_by(statement: str) -> set[str]:
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_every_name_is_there() -> None:
    for name in tympan.client.__all__:
        assert getattr(tympan.client, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        tympan.client.no_such_name  # noqa: B018


def test_what_is_offered_is_what_type_checkers_see() -> None:
    places = tympan.client._PLACES
    assert sorted(places) == tympan.client.__all__


def test_importing_the_package_imports_nothing_yet() -> None:
    assert not imported_by("import tympan.client") & {"asyncio", "websockets", "ssl", "numpy"}


def test_the_whole_client_needs_no_array_and_no_engine() -> None:
    everything = "from tympan.client import *; import tympan.client.sync, tympan.client.callbacks"
    assert not imported_by(everything) & {"numpy", "onnxruntime", "soxr", "starlette", "pydantic", "rich", "typer"}


def test_parameters_are_those_of_the_protocol() -> None:
    known = {name for parameter in PARAMETERS for name in parameter.names}
    offered = {field.name for field in fields(SessionParameters)} - {"extra"}
    assert offered - known <= UNKNOWN_HERE


def test_an_event_is_no_credential() -> None:
    assert not any("resume_key" in str(fields(event)) for event in get_args(Event))


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (None, {}),
        ({"sample_rate": 8000, "format_turns": None}, {"sample_rate": 8000}),
        (
            SessionParameters(format_turns=False, extra={"new": 1}),
            {"sample_rate": 16_000, "encoding": "pcm_s16le", "format_turns": False, "new": 1},
        ),
    ],
)
def test_what_is_not_given_is_left_out(
    given: SessionParameters | dict[str, ParameterValue] | None, values: dict[str, ParameterValue]
) -> None:
    assert parameter_values(given) == values


@pytest.mark.parametrize(
    ("values", "audio"),
    [
        ({}, AudioFormat()),
        ({"sample_rate": "8000", "encoding": "pcm_mulaw"}, AudioFormat(Encoding.PCM_MULAW, 8000)),
        ({"sample_rate": "fast"}, AudioFormat()),
        ({"sample_rate": 0}, None),
        ({"encoding": "opus"}, None),
    ],
)
def test_the_format_of_the_audio(values: dict[str, ParameterValue], audio: AudioFormat | None) -> None:
    assert audio_format(values) == audio


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (False, True, 1280)),
        ({"format_turns": "True", "max_turn_silence": 900}, (True, True, 900)),
        ({"format_turns": True, "speech_model": "u3-pro"}, (False, True, 1280)),
        ({"format_turns": True, "speech_model": "universal-3-pro"}, (False, True, 1280)),
        ({"format_turns": True, "speech_model": "universal-streaming-english"}, (True, True, 1280)),
        ({"redact_pii": True}, (False, False, 1280)),
        ({"redact_pii": True, "include_partial_turns": True}, (False, True, 1280)),
        ({"include_partial_turns": False}, (False, False, 1280)),
    ],
)
def test_how_turns_will_be_told(values: dict[str, ParameterValue], expected: tuple[bool, bool, int]) -> None:
    assert (is_told_twice(values), has_partials(values), longest_silence_ms(values)) == expected
