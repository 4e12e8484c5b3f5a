"""A program written by the vendor's migration guide works once its address is changed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("migrated_client.py")


def run(address: str, key: str, recording: Path) -> list[str]:
    command = [sys.executable, str(PROGRAM), f"ws://{address}/v3/ws", key, str(recording)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line.rpartition("\r")[2] for line in done.stdout.split("\n")]


def test_it_prints_one_line_a_turn_and_the_end(address: str, recording: Path) -> None:
    lines = run(address, "a-key", recording)
    assert lines[0].startswith("Session began: ID=")
    assert lines.count("Hi, my name is Sonny.") == 1
    (ended,) = (line for line in lines if line.startswith("Session Terminated: "))
    durations = re.fullmatch(r"Session Terminated: Audio Duration=2s, Session Duration=(\d+)s", ended)
    assert durations is not None
    assert int(durations[1]) >= 2
    assert "WebSocket Disconnected: Status=1000, Msg=Session Ended" in lines


def test_a_wrong_key_is_told_by_the_close(address: str, recording: Path) -> None:
    lines = run(address, "wrong", recording)
    assert "WebSocket Disconnected: Status=1008, Msg=See Error message for details" in lines
