"""The examples of the client's page and docstrings run, and print what the page says."""

from __future__ import annotations

import asyncio
import re
import textwrap
import wave
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from running_service import CHUNK, KEY, Service, make_service

from tympan.client import aio, sync

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "client-library.md"
NOT_RUN = "<!-- not run in CI: it needs a microphone -->\n"
_EXAMPLE = re.compile(r"(<!--[^\n]*-->\n)?```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", re.DOTALL)

EXAMPLES = [
    pytest.param(program, printed, id=program.splitlines()[-1].strip())
    for mark, program, printed in _EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    if mark != NOT_RUN
]


@pytest.fixture
def service() -> Iterator[Service]:
    with make_service() as service:
        yield service


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(CHUNK * 30)
    return path


def test_the_page_has_examples_and_all_but_one_run() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```python") - 1 == 5


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize(("program", "printed"), EXAMPLES)
def test_an_example_of_the_page_prints_what_it_says(
    program: str, printed: str, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    program = program.replace("ws://127.0.0.1:8000", service.url).replace('"KEY"', f'"{KEY}"')

    exec(compile(program, str(PAGE), "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out == printed


def docstring_example(module: str) -> str:
    text = import_module(module).__doc__ or ""
    block = "".join(re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)[:1])
    return textwrap.dedent(block)


NAMES: dict[str, Any] = {"key": KEY, "chunk": CHUNK, "chunks": [CHUNK] * 30}


@pytest.mark.parametrize("module", ["tympan.client", "tympan.client.aio", "tympan.client.connection"])
def test_an_asynchronous_example_of_a_docstring_runs(module: str, service: Service) -> None:
    program = docstring_example(module).replace("ws://127.0.0.1:8000", service.url).replace('"KEY"', f'"{KEY}"')
    assert "await" in program or "async" in program
    names = vars(aio) | vars(import_module(module)) | NAMES | {"url": service.url}
    imports = "".join(line + "\n" for line in program.splitlines() if line.startswith("from"))
    body = program.removeprefix(imports)

    exec(compile(f"{imports}async def example():\n{textwrap.indent(body, '    ')}", f"<{module}>", "exec"), names)
    asyncio.run(names["example"]())


@pytest.mark.parametrize("module", ["tympan.client.sync", "tympan.client.callbacks"])
def test_an_example_of_a_docstring_runs(module: str, service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    program = docstring_example(module).replace("ws://127.0.0.1:8000", service.url).replace('"KEY"', f'"{KEY}"')
    messages = vars(import_module("tympan.wire.v3.messages"))
    names = messages | vars(sync) | vars(import_module(module)) | NAMES | {"url": service.url}

    exec(compile(program, f"<{module}>", "exec"), names)

    assert "StreamingClient" not in program or capsys.readouterr().out
