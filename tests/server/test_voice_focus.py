"""Voice focus through a real server: what a client is told of it, and that its session is as any other."""

from __future__ import annotations

import logging
import sys

import pytest
from resuming_client import TERMINATE, ResumingClient, uncut
from running_service import Service

from tympan.core.audio import Encoding


def configuration(service: Service, query: str) -> dict[str, object]:
    client = service.connects(query)
    told: dict[str, object] = client.hears()["configuration"]
    client.sends(TERMINATE)
    assert client.hears_end()[1] == 1000
    return told


def finals(service: Service, query: str) -> list[str]:
    client = service.connects(query)
    client.says(2000)
    client.sends(TERMINATE)
    messages, code, _ = client.hears_end()
    assert code == 1000
    return [message["transcript"] for message in messages if message["type"] == "Turn" and message["end_of_turn"]]


@pytest.mark.parametrize("model", ["universal-streaming-english", "u3-rt-pro"])
@pytest.mark.parametrize("name", ["voice_focus", "noise_suppression_model"])
def test_begin_says_that_noise_is_suppressed(service: Service, model: str, name: str) -> None:
    assert configuration(service, f"speech_model={model}&{name}=far-field")["voice_focus"] == "far-field"
    assert "voice_focus" not in configuration(service, f"speech_model={model}")


@pytest.mark.parametrize("encoding", Encoding)
def test_all_that_was_said_is_told_at_the_end(service: Service, encoding: Encoding) -> None:
    assert finals(service, f"voice_focus=near-field&encoding={encoding}") == ["hi my name is sonny"]


def test_a_session_that_is_cut_off_goes_on_focused(service: Service) -> None:
    client = ResumingClient(service, "voice_focus=near-field")
    client.begins()
    client.says(600)
    client.is_cut()
    client.says(1400)
    client.resumes()
    client.sends(TERMINATE)
    assert client.hears_end() == (1000, "Session Ended")
    assert client.story() == uncut(service, query="voice_focus=near-field")


def test_without_the_package_the_session_is_served_unfocused_and_begin_and_log_say_so(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)

    with caplog.at_level(logging.INFO, "tympan.server"):
        assert "voice_focus" not in configuration(service, "voice_focus=near-field")

    assert ("voice_focus",) in [getattr(record, "without_effect", None) for record in caplog.records]
    assert finals(service, "voice_focus=near-field") == ["hi my name is sonny"]
