"""The oldest official Python SDK with v3 (0.41.0), unmodified: it speaks `wss` alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from services import KEY, SecureService
from told import BECKETT, Event, events, finals, kinds, spoken

from third_party import Environment

ThirdParty = Callable[[str], Environment]
PROGRAM = Path(__file__).with_name("v3_programs") / "first_python_sdk.py"


class FirstPythonSdk:
    def __init__(self, environment: Environment, service: SecureService, audio: Path) -> None:
        self._environment, self._service, self._audio = environment, service, audio

    def run(self, *, key: str = KEY, **options: Any) -> list[Event]:
        arguments = (self._service.address, key, str(self._audio), json.dumps(options))
        return events(self._environment.run(PROGRAM, *arguments, **self._service.trust))


@pytest.fixture
def sdk(third_party: ThirdParty, secure: SecureService, recording: Path) -> FirstPythonSdk:
    return FirstPythonSdk(third_party("python-sdk-0.41"), secure, recording)


def test_it_hears_a_turn_and_ends(sdk: FirstPythonSdk) -> None:
    told = sdk.run(format_turns=True)
    assert kinds(told) == ["open", "partial", "final", "final", "end", "done"]
    assert finals(told) == ["hi my name is sonny", "Hi, my name is Sonny."]
    assert told[-2]["audio_s"] == 2


def test_a_token_that_it_makes_opens_a_session(sdk: FirstPythonSdk) -> None:
    assert finals(sdk.run(uses_token=True)) == ["hi my name is sonny"]


def test_its_updates_take_effect(sdk: FirstPythonSdk) -> None:
    told = sdk.run(update_at_ms=0, update={"format_turns": True, "min_end_of_turn_silence_when_confident": 160})
    assert finals(told) == ["hi my name is sonny", "Hi, my name is Sonny."]


def test_a_wrong_key_is_told_and_it_ends(sdk: FirstPythonSdk) -> None:
    told = sdk.run(key="wrong")
    assert {event["event"] for event in told} == {"error", "done"}
    assert {event["code"] for event in told if event["event"] == "error"} == {1008}


def test_real_speech_is_heard(third_party: ThirdParty, real: SecureService, beckett: Path) -> None:
    told = FirstPythonSdk(third_party("python-sdk-0.41"), real, beckett).run()
    assert kinds(told)[-2:] == ["end", "done"]
    assert spoken(finals(told)).startswith(BECKETT)
