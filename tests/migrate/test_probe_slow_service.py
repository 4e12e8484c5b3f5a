"""`tympan probe` against a service that tells its words late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from running_server import PATIENCE_S, eventually
from running_service import KEY, StuckRecognizer, make_service

from tympan.engines.scripted import Script, ScriptedWord
from tympan.migrate.probe import scenes, v2_scenes
from tympan.migrate.probe.address import Address
from tympan.migrate.probe.reach import tls_context
from tympan.migrate.probe.record import SessionRecord
from tympan.migrate.probe.scenes import Visitor
from tympan.migrate.probe.speech import Speech

TALK = Script(tuple(ScriptedWord("well", at_ms, at_ms + 200) for at_ms in range(0, 10_000, 300)))
SPEECH = Speech("speech.wav", 16_000, (b"\0" * 1600,) * 2, None)
"""With the silence after it 1.6 s."""


@pytest.mark.parametrize(
    ("session", "path", "forced"),
    [
        (scenes.control_session, "/v3/ws", ["ForceEndpoint"] * 3),
        (v2_scenes.control_session, "/v2/realtime/ws", ["force_end_utterance"]),
    ],
    ids=["v3", "v2"],
)
def test_a_service_that_tells_no_word_before_the_recording_is_over_is_still_asked_to_end_turns(
    session: Callable[[Visitor, Speech], Awaitable[SessionRecord]], path: str, forced: list[str]
) -> None:
    recognizer = StuckRecognizer(TALK)

    async def probe(address: str) -> SessionRecord:
        return await session(Visitor(Address.parse(address), KEY, tls_context(None), PATIENCE_S), SPEECH)

    with make_service(recognizer=recognizer) as service, ThreadPoolExecutor(1) as pool:
        probing = pool.submit(asyncio.run, probe(service.url + path))
        try:
            assert eventually(lambda: any(talk.received_ms > 2_000 for talk in list(service.gateway.conversations)))
        finally:
            recognizer.is_released.set()
        record = probing.result()
    assert [said.what for said in record.said if said.what in forced] == forced
