"""Real speech, compressed in every way that a client may send it, through the real engine: the same words at the same
times as raw audio."""

from __future__ import annotations

import json
import ssl
import wave
from collections.abc import Iterable
from contextlib import suppress
from difflib import SequenceMatcher
from statistics import median
from typing import Any

import numpy as np
import pytest
from services import KEY, SecureService
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect

from compressed_streams import cut
from encoded_audio import Samples, aac, ogg_opus, opus_packets
from tympan.client.known_recording import known_recording

Word = dict[str, Any]


RATE_HZ = 48_000


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Fifteen seconds, some forty words."""
    path = known_recording()
    if path is None:
        pytest.skip("the package with the model and the recording is not installed")
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE_HZ
        return np.frombuffer(file.readframes(15 * RATE_HZ), dtype="<i2").astype(np.int16)


def heard(service: SecureService, query: str, messages: Iterable[bytes]) -> list[Word]:
    """The words of all finals."""
    trust = ssl.create_default_context(cafile=service.authority)
    told: list[dict[str, Any]] = []
    url, headers = f"wss://{service.address}/v3/ws?{query}", {"Authorization": KEY}
    with connect(url, additional_headers=headers, ssl=trust, open_timeout=60) as socket:
        for message in messages:
            socket.send(message)
        socket.send(json.dumps({"type": "Terminate"}))
        with suppress(ConnectionClosedOK):
            while True:
                told.append(json.loads(socket.recv(timeout=60)))
    assert told[-1]["type"] == "Termination", told[-1]
    return [word for message in told if message.get("end_of_turn") for word in message["words"]]


@pytest.fixture(scope="module")
def raw_words(real: SecureService, speech: Samples) -> list[Word]:
    return heard(real, f"sample_rate={RATE_HZ}", cut(speech.tobytes(), [RATE_HZ // 5]))


@pytest.mark.parametrize("encoding", ["opus", "ogg_opus", "aac"])
def test_the_same_words_are_heard_at_the_same_times(
    real: SecureService, speech: Samples, raw_words: list[Word], encoding: str
) -> None:
    encoded = {
        "opus": lambda: opus_packets(speech, rate_hz=RATE_HZ),
        "ogg_opus": lambda: cut(ogg_opus(speech, rate_hz=RATE_HZ), [500]),
        "aac": lambda: cut(aac(speech, rate_hz=RATE_HZ), [500]),
    }
    words = heard(real, f"encoding={encoding}", encoded[encoding]())

    matcher = SequenceMatcher(None, [word["text"] for word in raw_words], [word["text"] for word in words])
    pairs = [
        (raw_words[block.a + index], words[block.b + index])
        for block in matcher.get_matching_blocks()
        for index in range(block.size)
    ]
    assert len(raw_words) > 30
    assert len(pairs) >= 0.9 * max(len(raw_words), len(words))  # 97 of a hundred or more, where it was measured
    assert median(abs(one["start"] - other["start"]) for one, other in pairs) <= 60
