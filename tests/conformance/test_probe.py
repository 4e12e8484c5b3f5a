"""`tympan probe` finds nothing wrong with `tympan serve`, whichever protocol and profile it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import KEY, running

from sonny_script import SCRIPT

PATHS = ("/v3/ws", "/v3/ws?speech_model=u3-rt-pro", "/v2/realtime/ws")

TIMED = ("begin", "force-endpoint")
"""Noted where they take long, as they may on a busy machine."""


def start_probe(address: str, recording: Path, text: Path) -> subprocess.Popen[str]:
    command = "import sys; from tympan.cli.main import main; sys.exit(main())"
    arguments = ["probe", address, "--json", "--timeout", "60", "--audio", str(recording), "--text", str(text)]
    return subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        env=os.environ | {"TYMPAN_API_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def talkative(tmp_path: Path) -> Iterator[str]:
    """A service that hears word after word where the recording is said again: on a busy machine words come late."""
    more = [{"text": "well", "start_ms": at_ms, "end_ms": at_ms + 200} for at_ms in range(4_000, 120_000, 300)]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"words": SCRIPT["words"] + more}))
    with running("serve", "--api-key", KEY, "--engine", "scripted", "--model", str(script), "--strict") as listening:
        yield listening


def test_every_check_passes(talkative: str, recording: Path, tmp_path: Path) -> None:
    text = tmp_path / "speech.txt"
    text.write_text("Hi, my name is Sonny.")
    probes = [start_probe(talkative + path, recording, text) for path in PATHS]  # side by side: they mostly wait
    reports = [json.loads(probe.communicate(timeout=300)[0]) for probe in probes]
    for report in reports:
        unexpected = [f for f in report["findings"] if f["verdict"] != "passed" and f["check"] not in ("tls", *TIMED)]
        assert unexpected == []
        assert not [f for f in report["findings"] if f["verdict"] == "failed"]
    assert [report["protocol"] for report in reports] == ["v3", "v3", "v2"]
    assert [probe.returncode for probe in probes] == [0, 0, 0]
