"""A tympan that dies and comes back, as real processes: its sessions are gone, and no word is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_conversation import AT_ONCE, Told
from speech_track import SpeechTrack

from held_port import held_port
from tympan.client import Session, Turn, connect
from unhurried_loop import run_unhurried

TURNS = 9
TRACK = SpeechTrack.counting(TURNS)
KEY = "key"


class Tympan:
    """A `tympan serve` that hears the track, at the same port whenever it is started."""

    def __init__(self, port: int) -> None:
        self.port = port

    def start(self) -> None:
        """Begin to start."""
        program = str(Path(__file__).with_name("positioned_tympan.py"))
        engine = ["--engine", "positioned", "--model", str(TURNS)]
        where = ["--port", str(self.port), "--api-key", KEY]
        command = [sys.executable, program, "serve", *engine, *where]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def listens(self) -> bool:
        """It has started, which is waited for."""
        assert self._process.stderr is not None
        return self._process.stderr.readline() == f"Listening on http://127.0.0.1:{self.port}\n"

    def kill(self) -> None:
        """As `kill -9` does."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def tympan() -> Iterator[Tympan]:
    with held_port() as port:
        one = Tympan(port)
        one.start()
        try:
            assert one.listens()
            yield one
        finally:
            one.kill()


class Conversation:
    """A client that says as much of the track as the test wants, and remembers what it is told."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._final = ""  # the last final word that was told
        self.told = Told()

    async def hear(self) -> None:
        async for event in self._session:
            self.told.receive(event)
            finals = [word.text for word in event.words if word.word_is_final] if isinstance(event, Turn) else []
            self._final = finals[-1] if finals else self._final

    async def say_until(self, end_ms: int) -> None:
        for start_ms in range(self.told.offered_ms, end_ms, 50):
            await self._session.send_audio(TRACK.audio(start_ms, min(start_ms + 50, end_ms)))
        self.told.offered_ms = end_ms

    async def wait_for_final(self, text: str) -> None:
        async with asyncio.timeout(60):  # a server starts meanwhile
            while self._final != text:
                await asyncio.sleep(0.005)


def test_a_tympan_that_is_killed_in_mid_sentence_and_started_again_loses_and_doubles_no_word(tympan: Tympan) -> None:
    async def scene() -> Told:
        async with (
            connect(f"ws://127.0.0.1:{tympan.port}", api_key=KEY, reconnect=AT_ONCE) as session,
            asyncio.TaskGroup() as tasks,
        ):
            talk = Conversation(session)
            tasks.create_task(talk.hear())
            # In a sentence: after so many words and some milliseconds, with this one final.
            for turn, words, more_ms, final in ((1, 4, 0, 2), (3, 3, 140, 1), (4, 6, 90, 4)):
                spoken = TRACK.turns[turn].words
                await talk.say_until(spoken[words - 1].end_ms + more_ms)
                await talk.wait_for_final(spoken[final - 1].raw)
                tympan.kill()
                await talk.say_until(talk.told.offered_ms + 1000)
                tympan.start()
            await talk.say_until(TRACK.duration_ms)
            await session.terminate()
        return talk.told

    told = run_unhurried(scene())
    assert told.how == {"replayed": 3}
    assert told.words == [(word.raw, word.start_ms, word.end_ms) for word in TRACK.words]
    assert told.orders == list(range(TURNS))
