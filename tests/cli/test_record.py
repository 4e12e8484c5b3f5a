"""`tympan record` against real servers with the scripted engine, and what its scripts say when they are played."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import MakeAudio, Run
from running_service import Client
from websockets.sync.client import connect

from tympan.testing import DoubleServer


@pytest.fixture
def server() -> Iterator[DoubleServer]:
    with DoubleServer() as running:
        running.says("Hi, it's Sonny.", end_of_turn_confidence=0.6)
        running.says("Bye.", pause_ms=600)
        yield running


def turns(server: DoubleServer) -> list[dict[str, Any]]:
    return [message for message in server.session.said if message["type"] in ("Turn", "SpeechStarted")]


def play(script: Path, *, seconds: float) -> list[dict[str, Any]]:
    """What a script says to a client that sends so much audio."""
    with DoubleServer(script) as double:
        headers = {"Authorization": double.api_key}
        with connect(f"{double.url}/v3/ws", additional_headers=headers) as socket:
            client = Client(socket)
            client.says(ms=int(seconds * 1000))
            client.sends({"type": "Terminate"})
            client.hears_end()
        return turns(double)


@pytest.mark.parametrize("params", [(), ("--param", "speech_model=u3-rt-pro"), ("--param", "format_turns=false")])
def test_a_recording_is_played_with_the_same_turns(
    run: Run, server: DoubleServer, audio_file: MakeAudio, tmp_path: Path, params: tuple[str, ...]
) -> None:
    script = tmp_path / "talk.toml"

    ran = run(
        "record", server.url, "--api-key", server.api_key, "--input", audio_file(seconds=2.2), "-o", script, *params
    )

    assert (ran.code, ran.output) == (0, "")
    assert f"messages recorded in {script}" in ran.errors
    said = turns(server)
    assert said[-1]["end_of_turn"]
    assert play(script, seconds=2.2) == said
    assert play(script, seconds=0.1) == said  # what is left comes at Terminate


def test_neither_key_nor_audio_is_kept_unless_audio_is_asked_for(
    run: Run, server: DoubleServer, audio_file: MakeAudio, tmp_path: Path
) -> None:
    script, audio = tmp_path / "talk.toml", tmp_path / "audio.wav"
    secrets = ["--param", f"token={server.api_key}", "--param", "webhook_auth_header_value=hush"]

    ran = run(
        "record", f"{server.url}/?key=hush", *secrets, "--param", "keyterms_prompt=[]",
        "--api-key", server.api_key, "--input", audio_file(seconds=1.2), "-o", script, "--save-audio", audio,
    )  # fmt: skip

    assert ran.code == 0
    text = script.read_text()
    assert text.splitlines()[:2] == [
        f"# Recorded from {server.url}/ by tympan record",
        "# Parameters: format_turns = True, keyterms_prompt = []",
    ]
    assert not any(secret in text for secret in ("hush", server.api_key))
    with wave.open(str(audio)) as saved:
        assert saved.getnframes() == 19_200


def test_what_came_before_a_failure_is_written(
    run: Run, server: DoubleServer, audio_file: MakeAudio, tmp_path: Path
) -> None:
    server.closes(3005, after_audio_ms=900)
    script = tmp_path / "talk.toml"

    ran = run("record", server.url, "--api-key", server.api_key, "--input", audio_file(seconds=1.5), "-o", script)

    assert ran.code == 8
    assert "Fault of the script" in ran.errors
    assert play(script, seconds=1.5) == turns(server) != []


def test_where_nothing_is_said_an_older_script_is_left_alone(
    run: Run, server: DoubleServer, audio_file: MakeAudio, tmp_path: Path
) -> None:
    script = tmp_path / "talk.toml"
    script.write_text("older")

    ran = run("record", server.url, "--api-key", "wrong", "--input", audio_file(), "-o", script)

    assert (ran.code, script.read_text()) == (6, "older")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--param", "format_turns"], "expected NAME=VALUE"),
        (["--param", "sample_rate=8000"], "sample_rate is that of the audio"),
    ],
)
def test_a_wrong_parameter_is_told(run: Run, arguments: list[str], complaint: str, tmp_path: Path) -> None:
    ran = run("record", "localhost:1", "--output", tmp_path / "talk.toml", *arguments)
    assert (ran.code, complaint in ran.errors) == (2, True)
