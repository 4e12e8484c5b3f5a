"""The example page, its backend, and the official SDK's browser build, in a real browser with a microphone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from chromium import Browser, Page, running_browser
from running_service import KEY, endings, eventually, make_service
from services import KEY as SECURE_KEY
from services import SecureService

from third_party import INSTALLED, Environment
from tympan.client import mint_token
from tympan.engines import registry
from tympan.testing import DoubleServer

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "browser"
PROGRAMS = Path(__file__).with_name("v3_programs")

KEEPS_STREAMS = """
    const streams = [];
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      streams.push(stream);
      return stream;
    };
"""
SENTENCES = "Ever tried Ever failed"
IS_RELEASED = "streams.length > 0 && streams.every((s) => s.getTracks().every((t) => t.readyState === 'ended'))"


def is_in(state: str) -> str:
    return f"document.body.dataset.state === {state!r}"


@pytest.fixture(scope="module")
def browser(beckett: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running_browser(beckett, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = Page(browser)
    page.runs_first(KEEPS_STREAMS)
    yield page
    page.closes()


@contextmanager
def backend(url: str, key: str) -> Iterator[str]:
    """The example's backend, before that server; gives its address."""
    command = [sys.executable, str(EXAMPLE / "backend.py"), "0"]
    surroundings = os.environ | {"TYMPAN_URL": url, "TYMPAN_API_KEY": key}
    process = subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def double() -> Iterator[DoubleServer]:
    with DoubleServer() as running:
        yield running


def test_the_guide_shows_the_backend_that_is_tested() -> None:
    guide = (EXAMPLE.parents[1] / "howto" / "browser.md").read_text(encoding="utf-8")
    assert f"```python\n{(EXAMPLE / 'backend.py').read_text(encoding='utf-8')}```" in guide


def test_real_speech_is_shown_while_it_is_spoken_and_the_microphone_is_released(page: Page) -> None:
    recognizer = registry.load("moonshine", None, {})
    with closing(recognizer), make_service(recognizer=recognizer) as service:
        with backend(service.url, KEY) as address:
            page.opens(address)
            page.clicks("#switch")
            page.waits(is_in("listening"))
            page.waits("document.querySelector('.tentative')?.textContent")
            page.waits(
                f"document.getElementById('captions').innerText.replace(/[^a-z]+/gi, ' ').includes({SENTENCES!r})"
            )
            assert not page.says(IS_RELEASED)
            page.clicks("#switch")
            page.waits(is_in("off"))
        assert page.says(IS_RELEASED)
        assert page.problems == []
        assert eventually(service.is_idle)
        assert endings(service, 1000) == 1


def test_chunks_have_50_ms_and_a_second_session_is_like_the_first(page: Page, double: DoubleServer) -> None:
    double.says("Hi, my name is Sonny.", start_ms=100)
    with backend(double.url, double.api_key) as address:
        page.opens(address)
        for number in (1, 2):
            page.clicks("#switch")
            page.waits(f"document.body.innerText.split('Hi, my name is Sonny.').length === {number + 1}")
            page.clicks("#switch")
            page.waits(is_in("off"))
            double.assert_terminated_gracefully()
            rate_hz = page.says("new AudioContext().sampleRate")
            double.assert_parameters(sample_rate=rate_hz, encoding="pcm_s16le", format_turns=True)
            assert {len(chunk) for chunk in double.session._audio} == {rate_hz // 20 * 2}
    assert page.says(IS_RELEASED)
    assert page.problems == []
    double.assert_connections(2)


def test_what_the_server_refuses_is_shown(page: Page, double: DoubleServer) -> None:
    double.closes(3009, at="begin", error="Unauthorized Connection: Too many concurrent sessions")
    with backend(double.url, double.api_key) as address:
        page.opens(address)
        page.clicks("#switch")
        page.waits(is_in("failed"))
    assert page.says("document.getElementById('state').textContent").endswith("Too many concurrent sessions")
    assert page.says("document.getElementById('switch').textContent") == "Start"
    assert page.says(IS_RELEASED)


def test_a_connection_that_is_lost_is_told_and_the_microphone_is_released(page: Page, double: DoubleServer) -> None:
    double.says("Hi, my name is Sonny.", start_ms=100)
    double.drops(after_audio_ms=500)
    with backend(double.url, double.api_key) as address:
        page.opens(address)
        page.clicks("#switch")
        page.waits(is_in("failed"))
    assert page.says("document.getElementById('state').textContent") == "the connection was lost (1006)"
    assert page.says(IS_RELEASED)


def test_the_backend_tells_a_page_nothing_but_tokens_and_of_a_wrong_key_nothing(double: DoubleServer) -> None:
    with backend(double.url, double.api_key) as address:
        answer = httpx.get(f"{address}/token")
        assert answer.json().keys() == {"token", "url"}
        assert double.api_key not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert httpx.get(f"{address}/backend.py").status_code == 404
    with backend(double.url, "wrong") as address:
        assert httpx.get(f"{address}/token").status_code == 502


def test_the_official_sdk_holds_a_conversation_in_a_browser(
    page: Page, secure: SecureService, third_party: Callable[[str], Environment], tmp_path: Path
) -> None:
    name = "javascript-sdk-4.41"
    third_party(name)
    bundle = INSTALLED / name / "node_modules" / "assemblyai" / "dist" / "assemblyai.streaming.umd.min.js"
    for file in (bundle, PROGRAMS / "javascript_sdk_page.html", EXAMPLE / "page" / "microphone.js"):
        shutil.copy(file, tmp_path)
    token = mint_token(f"https://{secure.address}", api_key=SECURE_KEY, tls=secure.authority)
    query = urlencode({"url": f"wss://{secure.address}/v3/ws", "token": token})
    with files_of(tmp_path) as address:
        page.opens(f"{address}/javascript_sdk_page.html?{query}")
        page.clicks("#start")
        page.waits("told.turns.some((turn) => turn.turn_is_formatted)")
        page.clicks("#stop")
        page.waits("told.closed !== null")
    turns = page.says("told.turns.filter((turn) => turn.end_of_turn).map((turn) => turn.transcript)")
    assert turns == ["hi my name is sonny", "Hi, my name is Sonny."]
    assert page.says("told.errors") == []
    assert page.problems == []


@contextmanager
def files_of(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a log."""

    def log_message(self, *_: object) -> None:
        pass
