"""The client and the server's shell, against a tiny server of our own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import fake_v3_server
import numpy as np
import pytest
from bench.context import Context, Job
from bench.conversation import FAST, REAL_TIME, Control, ConversationFailed, Pace, converse
from bench.dataset import SAMPLES_PER_MS, Dataset, Samples
from bench.messages import Conversation
from bench.server import API_KEY, Server, ServerFailed
from websockets.asyncio.server import serve

from unhurried_loop import run_unhurried

COMMAND = (sys.executable, str(Path(__file__).with_name("fake_v3_server.py")))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(COMMAND) as running:
        yield running


@pytest.fixture
def context() -> Context:
    return Context(Dataset("none", ()), is_quick=True, command=COMMAND)


def silence(duration_ms: int) -> Samples:
    return np.zeros(duration_ms * SAMPLES_PER_MS, dtype=np.int16)


def test_everything_sent_fast_is_answered_and_logged(context: Context, server: Server) -> None:
    log = context.hold(server, Job(silence(5_000), pace=FAST))
    assert log.raw_text.split() == log.formatted_text.split() == [f"word{n}" for n in range(10)]
    assert (log.audio_ms, log.reported_audio_s) == (5_000, 5)


def test_sending_waits_for_words_when_too_far_ahead(context: Context, server: Server) -> None:
    log = context.hold(server, Job(silence(20_000), pace=Pace(is_real_time=False, max_ahead_ms=1_000)))
    assert len(log.text.split()) == 40


def test_at_real_time_a_chunk_is_sent_when_its_last_sample_was_spoken() -> None:
    """With the server in the same loop, whose clock counts no time that a busy machine takes."""

    async def scene() -> Conversation:
        async with serve(fake_v3_server.converse, "127.0.0.1", 0) as running:
            port = next(iter(running.sockets)).getsockname()[1]
            return await converse(
                f"ws://127.0.0.1:{port}", silence(1_000), api_key=API_KEY, parameters={}, pace=REAL_TIME
            )

    log = run_unhurried(scene())
    first, second = (turn for turn in log.turns if not turn.end_of_turn)
    assert 500 <= first.at_ms < 900
    assert 1_000 <= second.at_ms < 1_400
    assert log.terminated_at_ms >= 1_000


def test_controls_go_out_at_their_place_in_the_audio(context: Context, server: Server) -> None:
    force = Control(1_000, {"type": "ForceEndpoint"})
    log = context.hold(server, Job(silence(2_500), pace=FAST, controls=(force,)))
    assert [turn.transcript for turn in log.turns if turn.is_raw_final] == [
        "word0 word1",
        "word2 word3 word4",
    ]


def test_at_real_time_a_control_goes_out_between_chunks(context: Context, server: Server) -> None:
    controls = tuple(Control(at_ms, {"type": "ForceEndpoint"}) for at_ms in (320, 150))
    log = context.hold(server, Job(silence(500), controls=controls))
    first_ms, second_ms, _ = (control.at_ms for control in log.controls)
    assert 150 <= first_ms < second_ms
    assert second_ms >= 320


def test_every_session_adds_to_the_tally(context: Context, server: Server) -> None:
    context.hold_all(server, [Job(silence(2_000), pace=FAST)] * 3, at_once=2)
    assert context.sessions == 3
    assert (context.stillness.final_words, context.stillness.final_changes) == (12, 0)


def test_a_session_that_ends_in_an_error_is_a_failure(context: Context, server: Server) -> None:
    job = Job(silence(1_000), pace=FAST, controls=(Control(500, {"type": "Fail"}),))
    with pytest.raises(ConversationFailed, match="broken"):
        asyncio.run(context.hold_async(server, job))


def test_the_server_is_measured_from_outside(server: Server) -> None:
    assert server.startup_s > 0
    assert server.resident_mb() > 1
    assert server.cpu_s() > 0


def test_a_server_that_dies_says_its_last_words() -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no model here')")
    with pytest.raises(ServerFailed, match="no model here"), Server(command, timeout_s=60):
        pass
