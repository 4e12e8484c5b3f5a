"""`tympan probe` finds nothing wrong with `tympan serve`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tympan.cli.main import main


@pytest.mark.parametrize("path", ["/v3/ws", "/v2/realtime/ws"])
def test_every_check_passes(
    path: str,
    address: str,
    recording: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TYMPAN_API_KEY", raising=False)
    text = tmp_path / "speech.txt"
    text.write_text("Hi, my name is Sonny.")
    code = main(
        ["probe", address + path, "--api-key", "a-key", "--json", "--audio", str(recording), "--text", str(text)]
    )
    report = json.loads(capsys.readouterr().out)
    assert {f["check"]: f["text"] for f in report["findings"] if f["verdict"] != "passed"} == {
        "tls": "not asked for, and nothing leaves this machine"
    }
    assert code == 0
