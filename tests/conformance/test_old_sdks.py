"""Programs for the legacy protocol, unmodified: the old official SDKs and raw scripts, against the server's own v2
and against the bridge to v3. Judged by transcript, order of events and a clean end."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from running_service import KEY as SERVICE_KEY
from running_service import make_service
from services import KEY, running
from told import Event, events, finals, kinds
from v2_services import Way, bridged, served, write_script

from certificates import make_certificate
from third_party import Environment
from tympan.core.config import SessionLimits
from tympan.engines import scripted

ThirdParty = Callable[[str], Environment]
PROGRAMS = Path(__file__).with_name("v2_programs")
WAYS = {"served": served, "bridged": bridged}


@pytest.fixture(scope="session", params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    folder = tmp_path_factory.mktemp("way")
    with WAYS[request.param](write_script(folder), make_certificate(folder)) as services:
        yield services


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2.4 s at 16 kHz; the scripted engine listens to the clock alone."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0" * 76_800)
    return path


class PythonSdk:
    """`assemblyai` 0.33: an `http` address where one speaks plain WebSocket isn't accepted, `ws` is."""

    def __init__(self, environment: Environment, way: Way, speech: Path) -> None:
        self._environment, self._way, self._speech = environment, way, speech

    def run(self, *, key: str = KEY, address: str | None = None, **options: Any) -> list[Event]:
        arguments = (address or self._way.plain, key, str(self._speech), json.dumps(options))
        return events(self._environment.run(PROGRAMS / "old_python_sdk.py", *arguments, timeout_s=120))


@pytest.fixture
def python_sdk(third_party: ThirdParty, way: Way, speech: Path) -> PythonSdk:
    return PythonSdk(third_party("python-sdk-v2"), way, speech)


def test_the_python_sdk_hears_every_utterance_and_ends(python_sdk: PythonSdk) -> None:
    told = python_sdk.run(wants_information=True, word_boost=["one", "two"])
    assert kinds(told) == ["open", "partial", "final", "partial", "final", "information", "close", "done"]
    assert finals(told) == ["One, two.", "Three."]
    assert [event["audio_s"] for event in told if event["event"] == "information"] == [2.4]
    assert told[-4]["words"] == [["Three.", 1700, 1900]]


def test_the_python_sdk_ends_although_it_wants_no_information(python_sdk: PythonSdk) -> None:
    assert kinds(python_sdk.run()) == ["open", "partial", "final", "partial", "final", "close", "done"]


def test_the_python_sdk_makes_a_token_and_chooses_its_silence(python_sdk: PythonSdk) -> None:
    told = python_sdk.run(
        use_token=True, key=KEY, disable_partial_transcripts=True, end_utterance_silence_threshold=300
    )
    assert kinds(told) == ["open", "final", "final", "final", "close", "done"]
    assert finals(told) == ["One,", "Two.", "Three."]


def test_the_python_sdk_forces_the_end_of_an_utterance(python_sdk: PythonSdk) -> None:
    told = python_sdk.run(end_utterance_silence_threshold=20_000, force_at_ms=1500)
    assert finals(told) == ["One, two.", "Three."]


def test_the_python_sdk_tells_a_wrong_key(python_sdk: PythonSdk) -> None:
    told = python_sdk.run(key="wrong")
    assert "Not Authorized" in {event["text"] for event in told if event["event"] == "error"}
    assert {event["event"] for event in told} == {"error", "close", "done"}


def test_the_python_sdk_does_not_hang_when_its_session_expires(
    third_party: ThirdParty, speech: Path, tmp_path: Path
) -> None:
    recognizer = scripted.load(str(write_script(tmp_path)), {})
    with make_service(recognizer=recognizer) as service, ThreadPoolExecutor(1) as pool:
        sdk = PythonSdk(third_party("python-sdk-v2"), Way(service.url, "", tmp_path), speech)
        running_sdk = pool.submit(sdk.run, key=SERVICE_KEY, pauses_at_ms=1700)  # before the third word
        assert service.has_received(1700)
        service.loop.passes(SessionLimits().max_duration_s)
        told = running_sdk.result()
    assert kinds(told)[:4] == ["open", "partial", "final", "error"]
    assert finals(told) == ["One, two."]
    assert {event["text"] for event in told if event["event"] == "error"} == {"Session Expired"}


class JavascriptSdk:
    """`assemblyai` for Node.js: takes `wss` alone, and trusts who NODE_EXTRA_CA_CERTS names."""

    def __init__(self, environment: Environment, way: Way, speech: Path) -> None:
        self._environment, self._way, self._speech = environment, way, speech

    def run(self, *, key: str = KEY, **options: Any) -> list[Event]:
        return events(
            self._environment.run(
                PROGRAMS / "old_javascript_sdk.cjs",
                *(self._way.secure, key, str(self._speech), json.dumps(options)),
                timeout_s=60,
                NODE_EXTRA_CA_CERTS=str(self._way.authority),
            )
        )


@pytest.fixture(params=["javascript-sdk-4.9", "javascript-sdk-4.41"])
def javascript_sdk(request: pytest.FixtureRequest, third_party: ThirdParty, way: Way, speech: Path) -> JavascriptSdk:
    return JavascriptSdk(third_party(request.param), way, speech)


@pytest.mark.parametrize("class_name", ["RealtimeTranscriber", "RealtimeService"])
def test_the_javascript_sdk_hears_every_utterance_and_ends(javascript_sdk: JavascriptSdk, class_name: str) -> None:
    told = javascript_sdk.run(className=class_name, wordBoost=["one"])
    assert kinds(told) == ["open", "partial", "final", "partial", "final", "information", "done"]
    assert finals(told) == ["One, two.", "Three."]
    assert told[-2]["audio_s"] == 2.4


def test_the_javascript_sdk_makes_a_token_and_chooses_its_silence(javascript_sdk: JavascriptSdk, way: Way) -> None:
    told = javascript_sdk.run(useToken=way.plain_http, disablePartialTranscripts=True, endUtteranceSilenceThreshold=300)
    assert kinds(told) == ["open", "final", "final", "final", "information", "done"]
    assert finals(told) == ["One,", "Two.", "Three."]


def test_the_javascript_sdk_forces_the_end_of_an_utterance(javascript_sdk: JavascriptSdk) -> None:
    told = javascript_sdk.run(endUtteranceSilenceThreshold=20_000, forceAtMs=1500)
    assert finals(told) == ["One, two.", "Three."]


def test_the_javascript_sdk_tells_a_wrong_key(javascript_sdk: JavascriptSdk) -> None:
    told = javascript_sdk.run(key="wrong")
    assert told[0]["event"] == "error"
    assert told[0]["text"].startswith("Not Authorized")
    assert ("close", 4001) in [(event["event"], event.get("code")) for event in told] or told[-1]["event"] == "rejected"


@pytest.mark.parametrize("program", ["binary_script.py", "base64_script.py"])
def test_a_raw_script_hears_every_utterance_and_ends(way: Way, speech: Path, program: str) -> None:
    command = [sys.executable, str(PROGRAMS / program), way.plain, KEY, str(speech)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *messages, end = [json.loads(line) for line in done.stdout.splitlines()]
    types = [message["message_type"] for message in messages]
    assert types[0] == "SessionBegins"
    assert types[-2:] == ["FinalTranscript", "SessionTerminated"]
    texts = [message["text"] for message in messages if message["message_type"] == "FinalTranscript"]
    assert texts == ["One, two.", "Three."]
    assert end == {"code": 1000}


def test_a_real_engine_is_heard_through_both_ways(third_party: ThirdParty, beckett: Path, tmp_path: Path) -> None:
    sdk = third_party("python-sdk-v2")
    with (
        running("serve", "--api-key", KEY) as service,
        running("bridge", "--api-key", KEY, "--upstream", f"ws://{service}", "--upstream-key", KEY) as bridge,
    ):
        for address in (service, bridge):
            told = PythonSdk(sdk, Way(f"ws://{address}", "", tmp_path), beckett).run(wants_information=True)
            assert kinds(told)[0] == "open"
            assert kinds(told)[-4:] == ["final", "information", "close", "done"]
            assert " ".join(finals(told)).startswith("Ever tried. Ever failed. No matter. Try again.")
            assert told[-3]["audio_s"] == pytest.approx(9.963, abs=0.001)
