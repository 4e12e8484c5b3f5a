"""The current official JavaScript SDK, unmodified, over `wss`, which is all that it takes."""

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
PROGRAM = Path(__file__).with_name("v3_programs") / "javascript_sdk.cjs"
U3 = "universal-3-6-pro"


class JavascriptSdk:
    def __init__(self, environment: Environment, service: SecureService, audio: Path) -> None:
        self._environment, self._service, self._audio = environment, service, audio

    def run(self, *, key: str = KEY, **options: Any) -> list[Event]:
        arguments = (f"wss://{self._service.address}", key, str(self._audio), json.dumps(options))
        return events(self._environment.run(PROGRAM, *arguments, **self._service.trust))


@pytest.fixture
def sdk(third_party: ThirdParty, secure: SecureService, recording: Path) -> JavascriptSdk:
    return JavascriptSdk(third_party("javascript-sdk-4.41"), secure, recording)


def test_a_turn_ends_raw_and_then_formatted(sdk: JavascriptSdk) -> None:
    told = sdk.run(formatTurns=True, keytermsPrompt=["Sonny"])
    assert kinds(told) == ["open", "partial", "final", "final", "done"]
    assert finals(told) == ["hi my name is sonny", "Hi, my name is Sonny."]
    assert [event["is_formatted"] for event in told if event["event"] == "final"] == [False, True]
    assert told[-2]["words"][-1] == ["Sonny.", 950, 1400]


def test_a_turn_ends_once_when_no_formatting_is_wanted(sdk: JavascriptSdk) -> None:
    told = sdk.run()
    assert kinds(told) == ["open", "partial", "final", "done"]
    assert finals(told) == ["hi my name is sonny"]


def test_a_u3_model_announces_speech_and_ends_a_turn_once(sdk: JavascriptSdk) -> None:
    told = sdk.run(speechModel=U3, mode="balanced", languageDetection=True, agentContext="What is your name?")
    assert kinds(told) == ["open", "speech", "partial", "final", "done"]
    assert finals(told) == ["Hi, my name is Sonny."]
    assert told[1]["at_ms"] == 100


def test_a_token_that_the_sdk_makes_opens_a_session(sdk: JavascriptSdk, address: str) -> None:
    told = sdk.run(useToken=f"http://{address}", formatTurns=True)
    assert finals(told)[-1] == "Hi, my name is Sonny."


def test_an_update_and_a_forced_end_take_effect(sdk: JavascriptSdk) -> None:
    update = {"format_turns": True, "max_turn_silence": 2000}
    told = sdk.run(updateAtMs=0, update=update, forceAtMs=800)
    assert kinds(told) == ["open", "partial", "final", "final", "partial", "final", "final", "done"]
    assert finals(told) == ["hi my name", "Hi, my name", "is sonny", "Is Sonny."]


def test_two_channels_are_told_apart(sdk: JavascriptSdk) -> None:
    told = sdk.run(formatTurns=True, channels=[{"name": "agent"}, {"name": "caller"}], paceMs=20)
    assert finals(told) == ["hi my name is sonny", "Hi, my name is Sonny."]
    assert told[-2]["channels"] == ["agent"] * 5


def test_a_wrong_key_is_told_as_such(sdk: JavascriptSdk) -> None:
    (told,) = sdk.run(key="wrong", maxConnectionRetries=0)
    assert (told["event"], told["code"]) == ("rejected", 1008)
    assert "Invalid API key" in told["text"]


def test_real_speech_is_heard(third_party: ThirdParty, real: SecureService, beckett: Path) -> None:
    sdk = JavascriptSdk(third_party("javascript-sdk-4.41"), real, beckett)
    told = sdk.run(speechModel=U3, minTurnSilence=400)
    starts = [index for index, kind in enumerate(kinds(told)) if kind == "speech"]
    assert len(starts) == len(finals(told)) >= 1
    assert (kinds(told)[0], kinds(told)[-1]) == ("open", "done")
    assert spoken(finals(told)).startswith(BECKETT)
