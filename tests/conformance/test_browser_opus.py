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


@pytest.fixture
def page(beckett: Path, tmp_path: Path) -> Iterator[Page]:
    with running_browser(beckett, tmp_path) as browser:
        yield Page(browser)


def test_a_page_sends_opus_packets_as_the_guide_says(page: Page) -> None:
    program = re.search(r"```javascript\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert program is not None
    with DoubleServer() as double:
        double.says("Hi, my name is Sonny.", start_ms=100)
        page.runs_first(program[1])
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
