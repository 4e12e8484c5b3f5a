"""The guide's program for a browser, in a real one: what its microphone hears comes as Opus packets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Page, running_browser

from tympan.testing import DoubleServer

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "compressed-audio.md"

SPEAK = """
(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  window.socket = new WebSocket(URL);
  window.told = [];
  socket.onmessage = (event) => told.push(JSON.parse(event.data));
  await new Promise((resolve) => { socket.onopen = resolve; });
  sendOpus(socket, stream);
})()
"""


def guides_program() -> str:
    program = re.search(r"```javascript\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert program is not None
    return program[1]


@pytest.fixture
def page(beckett: Path, tmp_path: Path) -> Iterator[Page]:
    with running_browser(beckett, tmp_path) as browser:
        yield Page(browser)


def test_a_page_sends_opus_packets_as_the_guide_says(page: Page) -> None:
    with DoubleServer() as double:
        double.says("Hi, my name is Sonny.", start_ms=100)
        page.runs_first(guides_program())
        page.opens(f"{double.http_url}/v3/ws/health")  # any page of this machine may use a microphone
        address = f"{double.url}/v3/ws?encoding=opus&token={double.api_key}"
        page.says(SPEAK.replace("URL", repr(address)))
        page.waits("told.some((message) => message.end_of_turn)")
        page.says("socket.send(JSON.stringify({ type: 'Terminate' }))")
        page.waits("socket.readyState === WebSocket.CLOSED")

        double.assert_terminated_gracefully()
        assert double.session.audio_ms >= 1_000
        assert 2 < len(double.session.audio) / double.session.audio_ms < 6
        assert page.problems == []


CLOSE_WHILE_IT_ENCODES = """
const encode = AudioEncoder.prototype.encode;
AudioEncoder.prototype.encode = function (samples) {
  encode.call(this, samples);
  if (!window.told?.length) return;
  encode.call(this, samples);  // with it the packet is full
  socket.close();
  const isOver = () => { window.isEncoded = true; };
  this.flush().then(isOver, isOver);
};
"""


def test_what_is_still_being_encoded_when_the_connection_closes_is_no_error(page: Page) -> None:
    with DoubleServer() as double:
        page.runs_first(guides_program() + CLOSE_WHILE_IT_ENCODES)
        page.opens(f"{double.http_url}/v3/ws/health")
        address = f"{double.url}/v3/ws?encoding=opus&token={double.api_key}"
        page.says(SPEAK.replace("URL", repr(address)))
        page.waits("window.isEncoded && socket.readyState === WebSocket.CLOSED")
        assert page.problems == []
