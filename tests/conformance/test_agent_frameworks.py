"""Speech-to-text plugins of voice agent frameworks, unmodified.

What an agent acts on is judged: when speech begins, that a turn ends once and with its whole text, a clean end.
"""

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
Run = Callable[..., list[Event]]
PROGRAMS = Path(__file__).with_name("v3_programs")
SONNY = "Hi, my name is Sonny."
BECKETT_SPEECH = [560, 1380, 2100, 2980, 3760, 4360, 5140, 5860, 6860, 7660, 8360, 9040]
"""Where Pipecat's detection hears speech begin and stop in the recording: 200 ms after it does."""


def plugin(environment: Environment, program: str, service: SecureService, audio: Path) -> Run:
    """Runs the program of a plugin with its options; what it told."""

    def run(*, key: str = KEY, **options: Any) -> list[Event]:
        arguments = (f"wss://{service.address}", key, str(audio), json.dumps(options))
        return events(environment.run(PROGRAMS / program, *arguments, timeout_s=60, **service.trust))

    return run


@pytest.fixture
def livekit(third_party: ThirdParty, secure: SecureService, recording: Path) -> Run:
    return plugin(third_party("livekit-plugin-1.8"), "livekit_plugin.py", secure, recording)


@pytest.fixture
def pipecat(third_party: ThirdParty, secure: SecureService, recording: Path) -> Run:
    return plugin(third_party("pipecat-1.14"), "pipecat_service.py", secure, recording)


@pytest.fixture
def vision_agents(third_party: ThirdParty, secure: SecureService, recording: Path) -> Run:
    return plugin(third_party("vision-agents-plugin-0.6"), "vision_agents_plugin.py", secure, recording)


@pytest.fixture
def videosdk(third_party: ThirdParty, secure: SecureService, recording: Path) -> Run:
    return plugin(third_party("videosdk-plugin-1.0"), "videosdk_plugin.py", secure, recording)


def test_livekit_hears_speech_start_and_one_final(livekit: Run) -> None:
    told = livekit(agent_context="Welcome.", reply="What is your name?", reply_at_ms=100)
    names = [event["event"] for event in told if event["event"] != "interim_transcript"]
    assert names == [
        "start_of_speech",
        "preflight_transcript",
        "final_transcript",
        "end_of_speech",
        "recognition_usage",
        "done",
    ]
    (final,) = (event for event in told if event["event"] == "final_transcript")
    assert final["text"] == SONNY
    assert [word[0] for word in final["words"]] == SONNY.split()
    assert final["words"][-1][1] - final["words"][0][1] == pytest.approx(0.85, abs=0.001)


def test_livekit_gets_one_formatted_final_of_a_us_model(livekit: Run) -> None:
    told = livekit(model="universal-streaming-english", format_turns=True)
    assert [event["text"] for event in told if event["event"] == "final_transcript"] == [SONNY]
    assert told[-1]["event"] == "done"


def test_pipecat_hears_one_final_where_its_own_detection_finds_turns(pipecat: Run) -> None:
    told = pipecat(speech=[100, 1700])
    assert kinds(told) == ["partial", "final", "done"]
    assert finals(told) == [SONNY]


def test_pipecat_gets_what_was_said_as_soon_as_its_detection_hears_a_stop(pipecat: Run) -> None:
    told = pipecat(speech=[100, 800])
    assert finals(told) == ["Hi, my name", "Is Sonny."]
    assert [event["is_finalized"] for event in told if event["event"] == "final"] == [True, False]


def test_pipecat_follows_the_turns_of_the_server(pipecat: Run) -> None:
    told = pipecat(follows_server=True)
    order = list(dict.fromkeys(kinds(told)))  # what is broadcast is heard on both sides of the service
    assert order == ["started", "partial", "final", "stopped", "done"]
    assert finals(told) == [SONNY]


def test_pipecat_gets_one_formatted_final_of_a_us_model(pipecat: Run) -> None:
    told = pipecat(model="universal-streaming-english", speech=[100, 1600])
    assert finals(told) == [SONNY]
    assert kinds(told)[-1] == "done"


def test_vision_agents_hears_a_turn_start_and_end_once(vision_agents: Run) -> None:
    told = vision_agents()
    assert kinds(told) == ["started", "partial", "final", "ended", "done"]
    assert finals(told) == [SONNY]


def test_videosdk_hears_one_final(videosdk: Run) -> None:
    told = videosdk()
    assert [event["event"] for event in told if event["event"] != "interim_transcript"] == [
        "started",
        "final_transcript",
        "done",
    ]
    (final,) = (event for event in told if event["event"] == "final_transcript")
    assert (final["text"], final["duration_ms"]) == (SONNY, 1300)


def test_videosdk_hears_one_final_of_a_u3_model(videosdk: Run) -> None:
    told = videosdk(speech_model="universal-3-5-pro")
    assert [event["text"] for event in told if event["event"] == "final_transcript"] == [SONNY]
    assert [event["event"] for event in told].count("started") == 1


def test_videosdk_forces_the_end_of_a_turn(videosdk: Run) -> None:
    told = videosdk(flush_at_ms=800, turns=2)
    assert [event["text"] for event in told if event["event"] == "final_transcript"] == ["Hi, my name", "Is Sonny."]


def test_livekit_hears_real_speech(third_party: ThirdParty, real: SecureService, beckett: Path) -> None:
    told = plugin(third_party("livekit-plugin-1.8"), "livekit_plugin.py", real, beckett)(max_turn_silence=1000)
    texts = [event["text"] for event in told if event["event"] == "final_transcript"]
    assert len(texts) == [event["event"] for event in told].count("start_of_speech")
    assert spoken(texts).startswith(BECKETT)


def test_pipecat_hears_real_speech(third_party: ThirdParty, real: SecureService, beckett: Path) -> None:
    told = plugin(third_party("pipecat-1.14"), "pipecat_service.py", real, beckett)(
        follows_server=True, max_turn_silence=1000
    )
    assert spoken(finals(told)).startswith(BECKETT)
    assert kinds(told)[-1] == "done"


@pytest.mark.parametrize("model", ["universal-3-6-pro", "universal-streaming-english"])
def test_pipecat_gets_one_final_that_it_waits_for_at_every_stop(
    third_party: ThirdParty, real: SecureService, beckett: Path, model: str
) -> None:
    told = plugin(third_party("pipecat-1.14"), "pipecat_service.py", real, beckett)(
        model=model, speech=BECKETT_SPEECH, measures=True
    )
    answers = [event for event in told if event["event"] in {"final", "measured"}]
    stops = len(BECKETT_SPEECH) // 2
    assert [event["event"] for event in answers] == ["measured", "final"] * stops
    assert all(event["is_finalized"] for event in answers[1::2])
    assert spoken(finals(told)).startswith(BECKETT)


def test_vision_agents_hears_real_speech(third_party: ThirdParty, real: SecureService, beckett: Path) -> None:
    told = plugin(third_party("vision-agents-plugin-0.6"), "vision_agents_plugin.py", real, beckett)(turns=6)
    names = kinds(told)
    assert names.count("started") == names.count("ended") == len(finals(told))
    assert spoken(finals(told)).startswith(BECKETT)


def test_videosdk_hears_real_speech(third_party: ThirdParty, real: SecureService, beckett: Path) -> None:
    told = plugin(third_party("videosdk-plugin-1.0"), "videosdk_plugin.py", real, beckett)(turns=2)
    texts = [event["text"] for event in told if event["event"] == "final_transcript"]
    assert spoken(texts).startswith(BECKETT)
