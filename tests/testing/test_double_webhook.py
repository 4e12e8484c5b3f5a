"""The test double posts webhooks like any server: a test may have its own receiver."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from receiving import Receiver
from running_service import PATIENCE_S, Client, audio
from websockets.sync.client import connect

from tympan.testing import DoubleServer


def test_a_webhook_of_the_test_double_comes_to_a_receiver_of_the_test() -> None:
    with Receiver() as receiver:
        with DoubleServer() as server:
            server.says("Hi, my name is Sonny.")
            server.drops(after_audio_ms=2500)
            query = urlencode({"webhook_url": receiver.url, "speech_model": "u3-rt-pro"})
            headers = {"Authorization": server.api_key}
            with connect(f"{server.url}/v3/ws?{query}", additional_headers=headers, open_timeout=PATIENCE_S) as socket:
                Client(socket).tries_to_send(*audio(3000))
                receiver.gets()
        [post] = receiver.posts
    assert [turn["transcript"] for turn in post.document["messages"]] == ["Hi, my name is Sonny."]


def test_a_test_double_that_ends_delivers_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tympan.testing.running._LAST_WORDS_S", PATIENCE_S)
    with Receiver() as receiver:
        with DoubleServer() as server:
            server.says("Hi, my name is Sonny.")
            query = urlencode({"webhook_url": receiver.url})
            headers = {"Authorization": server.api_key}
            with connect(f"{server.url}/v3/ws?{query}", additional_headers=headers, open_timeout=PATIENCE_S) as socket:
                client = Client(socket)
                client.says(3000)
                client.sends({"type": "Terminate"})
                while client.hears()["type"] != "Termination":
                    pass
        assert len(receiver.posts) == 1
