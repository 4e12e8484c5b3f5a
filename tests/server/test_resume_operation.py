"""Kept sessions and time, the end of a server, and what an operator sees."""

from __future__ import annotations

import asyncio
import logging

import pytest
from resuming_client import TERMINATE, ResumingClient, is_noticed, kept, metric
from running_service import CHUNK, KEY, Start, endings, eventually, limits

from tympan.client import connect

INACTIVITY_S, LONGEST_S = 10.0, 20.0
"""Twice the one, and the other, end before a kept session is given up."""


def test_the_silence_of_a_lost_client_is_no_inactivity(start: Start) -> None:
    service = start(session=limits(inactivity_timeout_s=INACTIVITY_S))
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    client.line.socket.close()
    service.loop.passes(2 * INACTIVITY_S)
    assert kept(service) == 1
    client.resumes()
    service.loop.passes(INACTIVITY_S)
    client.hears_end()
    assert client.told[-1]["error_code"] == 3006, "but once it is back its silence counts"
    assert "inactivity" in client.told[-1]["error"]


def test_a_kept_session_expires_at_its_time_and_says_so_to_who_comes_back(start: Start) -> None:
    service = start(session=limits(max_duration_s=LONGEST_S))
    client = ResumingClient(service)
    client.begins()
    client.says(1500)
    client.line.is_answered()
    client.is_cut()
    assert is_noticed(service)
    assert service.link is not None
    seats = service.link._seats
    service.loop.passes(LONGEST_S)
    assert eventually(lambda: not seats)
    client.resumes()
    code, _ = client.hears_end()
    assert code == 3008
    assert [turn["transcript"] for turn in client.told if turn.get("end_of_turn")] == ["hi my name is sonny"]


def test_a_server_that_stops_ends_the_sessions_it_keeps(start: Start) -> None:
    service = start()
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    service.stop()
    assert service.gateway.admission.active == 0
    assert not service.gateway.conversations


def test_a_server_that_stops_tells_who_is_there_and_keeps_nothing(start: Start) -> None:
    service = start()
    client = ResumingClient(service)
    client.begins()
    client.says(2000)
    client.line.is_answered()
    service.server.should_exit = True
    code, _ = client.hears_end()
    assert (client.told[-1]["error"], code) == ("Session Cancelled: The server is shutting down", 3005)
    service.stop()
    assert not service.gateway.conversations


def test_the_operator_sees_losses_resumes_and_refusals(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = start()
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    assert eventually(lambda: endings(service, 1006) + endings(service, 1005) == 1)
    client.resumes()
    assert kept(service) == 0
    client.sends(TERMINATE)
    client.hears_end()
    assert eventually(lambda: endings(service, 1000) == 1)  # the answer to its close has come
    client.connects_again()
    assert metric(service, "resumes_total", outcome="resumed") == 1
    assert metric(service, "resumes_total", outcome="refused") == 1
    assert endings(service, 4004) == 1
    ours = [record for record in caplog.records if record.name.startswith("tympan")]
    told = [record.getMessage() for record in ours]
    assert told == [
        "session began",
        "connection lost, session kept",
        "session resumed",
        "session ended",
        "session refused",
    ]
    assert client.key not in "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    assert client.key.encode() not in service.gateway.metrics.render()


def test_sessions_that_have_ended_well_are_kept_for_nobody(start: Start) -> None:
    """A client that closes as soon as it has heard Termination may be gone before the server's own close."""
    service = start()

    async def talk() -> None:
        async with connect(service.url, api_key=KEY) as session:
            await session.send_audio(CHUNK)
            await session.terminate()
            async for _ in session:
                pass

    for _ in range(20):
        asyncio.run(talk())
    assert eventually(service.is_idle)
