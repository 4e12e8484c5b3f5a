"""The programs of the page about webhooks run as they stand, and print what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiving import LOOPBACK, Post, Receiver
from running_service import SONNY, Service, Start, eventually
from starlette.responses import JSONResponse, Response

from held_port import held_port
from tympan.server.config import AuthConfig, OutboundConfig

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "webhooks.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
PRINTED = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)


def run(name: str, **replaced: str) -> list[str]:
    """The command that runs a program of the page; what is written there as `old` is `new` here, for `_old=new`."""
    text = PROGRAMS[name]
    for old, new in replaced.items():
        assert old[1:] in text
        text = text.replace(old[1:], new)
    return [sys.executable, "-W", "error", "-u", "-c", text]


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        process.kill()
        process.communicate()


def serving(start: Start, outbound: OutboundConfig) -> Service:
    return start(SONNY, auth=AuthConfig(api_keys=("KEY",), token_secret="secret of the tests"), outbound=outbound)


def test_the_receiver_prints_what_the_speaker_said(start: Start, started: list[subprocess.Popen[str]]) -> None:
    assert PRINTED is not None
    service = serving(start, LOOPBACK)
    with held_port() as held:
        port = str(held)
        receiver = subprocess.Popen(run("receiver.py", _8900=port), stdout=subprocess.PIPE, text=True)
        started.append(receiver)
        subprocess.run(run("speak.py", _8900=port, _8000=str(service.port)), check=True, timeout=60)
        printed, _ = receiver.communicate(timeout=60)
    assert printed == PRINTED[1]


def test_the_translator_prints_each_turn_and_its_translation(start: Start) -> None:
    async def translate(post: Post) -> Response:
        assert post.document["messages"][0]["content"] == "Translate into French: Hi, my name is Sonny."
        message = {"role": "assistant", "content": "Bonjour, je m'appelle Sonny."}
        return JSONResponse({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    with Receiver(respond=translate) as model:
        service = serving(start, OutboundConfig(llm_url=f"{model.url}/v1"))
        command = run("translate.py", _8000=str(service.port))
        printed = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout
    assert printed == "Hi, my name is Sonny.\n0 Bonjour, je m'appelle Sonny.\n"
    assert eventually(service.is_idle)
