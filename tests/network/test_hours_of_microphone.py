"""Hours of a microphone, in little: `make prove ARGS=hours` has the hours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from background import background
from hosted_replay import KEY, HostedReplay
from hours_of_microphone import hours_track
from tcp_proxy import How, Proxy

HOURS = 0.1
SPEED = 100.0


def test_hours_of_use_leak_nothing() -> None:
    program = str(Path(__file__).with_name("hours_of_microphone.py"))
    held: list[dict[str, Any]] = []
    with (
        background() as loop,
        loop.entered(HostedReplay(hours_track(HOURS))) as service,
        loop.entered(Proxy("127.0.0.1", service.port)) as proxy,
    ):
        command = [sys.executable, program, proxy.url, KEY, str(HOURS), str(SPEED), "1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listening:
            assert listening.stdout is not None
            for line in listening.stdout:
                held.append(json.loads(line))
                loop.call(proxy.cut, How.RESET)
        assert listening.returncode == 0

    first, last = held[0], held[-1]
    assert len(held) >= 6
    for name in ("threads", "tasks", "descriptors"):
        assert max(report[name] for report in held) <= first[name], f"{name}: {held}"
    assert last["objects"] <= first["objects"], f"what reconnecting and listening held is gone: {held}"
    assert last["rss_mb"] < first["rss_mb"] + 15
    assert last["reconnects"] >= 4
    assert (last["wrong_words"], last["dropped_ms"]) == (0, 0)
    assert last["words"] == len(hours_track(HOURS).words)
